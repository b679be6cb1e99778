'use strict';
// Copies values, and builds the command that confirms what is ticked. Sends nothing anywhere and keeps nothing.
const quoted = (text) => "'" + text.replaceAll("'", "'\"'\"'") + "'";
// Ansible splits name=value at blanks, and evaluates what it takes for a template.
const named = (by) => /^[\w.@+-]+$/.test(by)
  ? 'unified_profiles_confirmed_by=' + by
  : quoted(JSON.stringify({ unified_profiles_confirmed_by: by }));

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
  const by = document.getElementById('by').value.trim() || 'NAME';
  const digests = done.map(({ digest }) => digest).join(',');
  const awx = document.getElementById('awx').checked;
  const run = document.querySelector('main').dataset.run;
  // The others need no run. What has another character could be a pattern.
  const names = [...new Set(done.map(({ environment }) => environment))].sort();
  const limited = / --limit /.test(run) || !names.every((name) => /^[A-Za-z0-9_][\w.-]*$/.test(name));
  const limit = limited ? '' : ' --limit ' + names.join(',');
  document.getElementById('command').textContent = awx
    ? JSON.stringify({ unified_profiles_confirm: digests })
    : run + limit + ' -e unified_profiles_confirm=' + digests + ' -e ' + named(by);
  document.getElementById('ticked').textContent = done.length + (done.length === 1 ? ' step ticked.' : ' steps ticked.');
  document.getElementById('bar').hidden = !done.length;
  document.body.classList.toggle('ticking', done.length > 0);
}

// Filters: a status or a change that is pressed, and text that stands anywhere in an environment's rows or section.
const more = new Map();
for (const row of document.querySelectorAll('.more tbody tr')) {
  const name = row.cells[0].textContent;
  more.set(name, [...(more.get(name) ?? []), row]);
}
const rows = [...document.querySelectorAll('#environments tr[data-status]')].map((row) => {
  const link = row.querySelector('th a');
  const section = link && document.querySelector(link.getAttribute('href'));
  const parts = [row, ...(section ? [section] : []), ...(more.get(row.cells[0].textContent) ?? [])];
  return { row, parts, text: parts.map((part) => part.textContent).join(' ').toLowerCase() };
});
const buttons = [...document.querySelectorAll('.filter')];
const find = document.getElementById('find');

function filter() {
  const pressed = buttons.filter((button) => button.getAttribute('aria-pressed') === 'true').map(({ dataset }) => dataset);
  const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, parts, text } of rows) {
    const chosen = !pressed.length || pressed.some(({ status }) => status ? status === row.dataset.status : 'changed' in row.dataset);
    const fits = chosen && wanted.every((part) => text.includes(part));
    for (const part of parts) part.hidden = !fits;
    shown += fits;
  }
  for (const group of document.querySelectorAll('#environments tbody')) {
    group.hidden = !group.querySelector('tr[data-status]:not([hidden])');
  }
  document.getElementById('none').hidden = shown > 0;
  document.getElementById('shown').textContent = shown + ' of ' + rows.length + ' shown';
}

for (const button of buttons) {
  button.disabled = false;
  button.addEventListener('click', () => {
    button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
    filter();
  });
}
find.closest('.find').hidden = false;
find.addEventListener('input', filter);
filter();

for (const element of document.querySelectorAll('.copy, .tick')) element.hidden = false;
for (const button of document.querySelectorAll('.copy')) button.addEventListener('click', () => copy(button));
document.addEventListener('input', build);
document.addEventListener('change', build);
build();
