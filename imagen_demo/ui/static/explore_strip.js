// The Explore tab, 2: the strip under the picture. Neighbouring seeds, or the pictures one stopped at.
const ROW = 8, RECENT = 24;
const plain = (seed) => ({ // a seed of the present model, class and truncation, with nothing else done to it
  ...recipe, seeds: [[seed, 1]], fine_seeds: [], split: 0, directions: [], psi_layers: [], psi: props.default_psi, size: null,
});
const cell = (label, src, onclick, attributes = {}, caption = '') =>
  h('button', { type: 'button', class: `im-cell ${model.alpha ? 'im-alpha' : ''}`, 'aria-label': label, onclick, ...attributes },
    h('img', { src, alt: '' }), caption ? h('span', {}, caption) : null);

// -- neighbouring seeds -------------------------------------------------------------------------------
const row = h('div', { class: 'im-row', id: 'explore-row', role: 'group', 'aria-label': T('x_row') });
let shownRow = '';
const drawRow = D.newest(async (start, newest) => {
  const seeds = Array.from({ length: ROW }, (_, index) => start + index);
  const answer = await D.ask(server.draw, { recipes: seeds.map(plain), side: 128 });
  if (!newest()) return;
  if (!answer.images) { shownRow = ''; return; } // the next change asks again
  row.replaceChildren(...seeds.map((seed, index) =>
    cell(`${T('c_seed')} ${seed}`, answer.images[index], () => setSeed(seed), { 'data-seed': String(seed) }, String(seed))));
  markRow();
});
const markRow = () => [...row.children].forEach((each) => each.setAttribute('aria-pressed', each.dataset.seed === String(recipe.seeds[0][0])));
onPaint.push(() => { // anew only when the seed leaves the row, or the model or class changes
  const start = Math.min(MOST_SEED + 1 - ROW, ROW * Math.floor(recipe.seeds[0][0] / ROW));
  const key = JSON.stringify([start, recipe.model, recipe.label, recipe.class_mix, recipe.centre]);
  if (key !== shownRow) { shownRow = key; drawRow(start); } else markRow();
});

// -- recent pictures ------------------------------------------------------------------------------------
const RECENT_KEY = 'imagen-recent'; // outlives a reload, as recipes
let recent = []; // newest first: {of: recipe as text, image; null until it is looked at after a reload}
try { recent = JSON.parse(sessionStorage.getItem(RECENT_KEY) ?? '[]').map((of) => ({ of, image: null })); } catch { /* private window */ }
const store = () => { try { sessionStorage.setItem(RECENT_KEY, JSON.stringify(recent.map(({ of }) => of))); } catch { /* private window */ } };
const visited = h('div', { class: 'im-row ex-recent', id: 'explore-recent', role: 'group', 'aria-label': T('x_recent'), hidden: true });
const keep = ({ of, image }) => {
  const there = recent.find((each) => each.of === of);
  if (there) there.image = image; else recent = [{ of, image }, ...recent].slice(0, RECENT);
  store();
  paintRecent();
};
const forget = (of) => { recent = recent.filter((each) => each.of !== of); };
let drawing = null;
const drawRecent = () => drawing ??= (async () => { // one by one: a model may be gone since, and its pictures with it
  for (const each of recent.filter(({ image }) => !image)) {
    const answer = await D.ask(server.draw, { recipes: [JSON.parse(each.of)], side: 128 });
    if (answer.lost) break;
    if (answer.images) [each.image] = answer.images; else recent = recent.filter((other) => other !== each);
  }
  store();
})().finally(() => { drawing = null; });
const paintRecent = (again = true) => {
  if (visited.hidden) return;
  if (again && recent.some(({ image }) => !image)) drawRecent().then(() => paintRecent(false));
  const now = JSON.stringify(recipe);
  visited.replaceChildren(...recent.map(({ of, image }, index) =>
    cell(T('x_recent_picture', { number: index + 1 }), image, () => restore(JSON.parse(of)), { 'aria-pressed': of === now })));
  if (!recent.length) visited.append(h('p', { class: 'im-note' }, T('x_recent_none')));
};
onPaint.push(() => paintRecent());

const view = (id, text, chosen) => {
  const tab = h('button', { type: 'button', id, class: 'ex-view', 'aria-pressed': chosen, onclick: () => {
    row.hidden = id !== 'explore-view-seeds';
    visited.hidden = !row.hidden;
    views.forEach((each) => each.setAttribute('aria-pressed', each === tab));
    paintRecent();
  } }, text);
  return tab;
};
const views = [view('explore-view-seeds', T('x_row'), true), view('explore-view-recent', T('x_recent'), false)];
const strip = h('div', { class: 'ex-strip' }, h('div', { class: 'ex-views', role: 'group', 'aria-label': T('x_strip') }, views), row, visited);
