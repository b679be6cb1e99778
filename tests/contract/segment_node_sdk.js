// Copyright (c) 2026 flexops
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Talks to a sandbox with Segment's own SDK, and prints what the SDK made of the answers as one JSON object.
// Usage: node segment_node_sdk.js URL TOKEN SPACE, with NODE_PATH naming the folder that has the SDK.
const sdk = require("@segment/public-api-sdk-typescript");

const [url, token, space] = process.argv.slice(2);

function api(kind) {
  const found = new kind(url);
  found.accessToken = token;
  return found;
}

async function refused(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return { status: error.statusCode, type: error.body.errors[0].type, count: error.body.errors.length };
  }
}

async function main() {
  const data = async (call) => (await call).body.data;
  const sources = api(sdk.SourcesApi);
  const spaces = api(sdk.SpacesApi);
  const told = {};
  told.workspace = (await data(api(sdk.WorkspacesApi).getWorkspace())).workspace.slug;
  const made = (
    await data(sources.createSource({ slug: "new", enabled: true, metadataId: "V6ynUvQgbc" }))
  ).source;
  told.made = { name: made.name, kind: made.metadata.slug, keys: made.writeKeys.length };
  told.taken = await refused(sources.createSource({ slug: "new", enabled: true, metadataId: "V6ynUvQgbc" }));
  const changed = (await data(sources.updateSource(made.id, { name: "other", enabled: false }))).source;
  told.changed = [changed.name, changed.slug, changed.enabled];
  told.pages = [];
  let cursor;
  do {
    const page = await data(sources.listSources({ count: 2, cursor }));
    told.pages.push(page.sources.map((source) => source.slug));
    cursor = page.pagination.next;
  } while (cursor);
  told.keys = (await data(sources.createWriteKeyForSource(made.id))).source.writeKeys.length;
  told.removed = (await data(sources.removeWriteKeyFromSource(made.id, made.writeKeys[0]))).status;
  await sources.replaceLabelsInSource(made.id, { labels: [{ key: "environment", value: "dev" }] });
  told.labels = (await data(sources.getSource(made.id))).source.labels.map((label) => `${label.key}:${label.value}`);
  told.unplanned = (await data(sources.listSchemaSettingsInSource(made.id))).settings.track.allowUnplannedEvents;
  told.warehouses = (await data(sources.listConnectedWarehousesFromSource(made.id, { count: 10 }))).warehouses.length;
  told.deleted = (await data(sources.deleteSource(made.id))).status;
  told.gone = await refused(sources.getSource(made.id));
  told.space = (await data(spaces.getSpace(space))).space.id;
  told.spaces = (await data(spaces.listSpaces({ count: 10 }))).spaces.map((found) => found.id);
  told.catalog = (await data(api(sdk.CatalogApi).getSourcesCatalog({ count: 200 }))).sourcesCatalog.length;
  told.java = (await data(api(sdk.CatalogApi).getSourceMetadata("V6ynUvQgbc"))).sourceMetadata.slug;
  told.known = (await data(api(sdk.LabelsApi).listLabels())).labels.length;
  told.audit = (await data(api(sdk.AuditTrailApi).listAuditEvents({ count: 200 }))).events.at(-1).type;
  const volume = await data(
    api(sdk.EventsApi).getEventsVolumeFromWorkspace("DAY", "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z", ["eventName", "source"])
  );
  told.volume = volume.result.filter((row) => row.eventName).map((row) => [row.eventName, row.total]);
  told.echo = (await data(api(sdk.TestingApi).echo("hello", 1))).message;
  told.errors = await refused(api(sdk.TestingApi).echo("no", 0, false, true, false, 418));
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error.body || error);
  process.exit(1);
});
