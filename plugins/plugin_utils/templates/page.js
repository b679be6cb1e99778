'use strict';
// Copies values, and builds the command that confirms what is ticked. Sends nothing anywhere and keeps nothing.
const quoted = (text) => "'" + text.replaceAll("'", "'\"'\"'") + "'";
// As Python's json.dumps writes it, so that both commands look alike: a space after each separator.
const json = (value) => typeof value === 'object'
  ? '{' + Object.entries(value).map(([name, inner]) => json(name) + ': ' + json(inner)).join(', ') + '}'
  : JSON.stringify(value);

async function copy(button) {
  const value = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(value.textContent);
  } catch {
    getSelection().selectAllChildren(value);
    document.execCommand('copy');
  }
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = 'Copy'; }, 1500);
}

function build() {
  const done = [...document.querySelectorAll('.tick input:checked')].map((box) => box.closest('.card').dataset);
  const by = document.getElementById('by').value.trim() || 'YOUR NAME';
  const confirm = new Map();
  for (const { environment, step, digest } of done) {
    if (!confirm.has(environment)) confirm.set(environment, {});
    confirm.get(environment)[step] = { by, digest };
  }
  const variables = json({ unified_profiles_confirm: Object.fromEntries(confirm) });
  const awx = document.getElementById('awx').checked;
  const run = document.querySelector('main').dataset.run;
  // The others need no run. What has another character could be a pattern.
  const names = [...confirm.keys()].sort();
  const limited = / --limit /.test(run) || !names.every((name) => /^[A-Za-z0-9_][\w.-]*$/.test(name));
  const limit = limited ? '' : ' --limit ' + names.join(',');
  document.getElementById('command').textContent = awx ? variables : run + limit + ' -e ' + quoted(variables);
  document.getElementById('ticked').textContent = done.length + (done.length === 1 ? ' step ticked.' : ' steps ticked.');
  document.getElementById('bar').hidden = !done.length;
  document.body.classList.toggle('ticking', done.length > 0);
}

for (const element of document.querySelectorAll('.copy, .tick')) element.hidden = false;
for (const button of document.querySelectorAll('.copy')) button.addEventListener('click', () => copy(button));
document.addEventListener('input', build);
document.addEventListener('change', build);
build();
