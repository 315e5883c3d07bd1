// The Explore tab, 1: its state. State is one recipe (the JSON of studio/recipes.py); every control edits it,
// `draw` draws it, the address bar holds it. The scripts explore_*.js share one scope inside gr.HTML, which gives
// element, props and server; each part registers what it does when the recipe (`onPaint`) or the model (`onModel`)
// changes, or a change is complete (`onCommit`).
const D = window.imagenDemo, { h, button, MOST_SEED } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
let recipe = null, model = null;
const onPaint = [], onModel = [], onCommit = [];
const paint = () => onPaint.forEach((work) => work());
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// -- the picture ------------------------------------------------------------------------------
const picture = h('img', { id: 'explore-picture', alt: T('c_picture'), draggable: false });
const before = h('img', { id: 'explore-before', alt: T('x_start'), class: 'ex-before', draggable: false, hidden: true });
const chip = h('span', { class: 'ex-chip', 'aria-hidden': 'true', hidden: true }, T('x_start'));
const frame = h('div', { class: 'im-frame', id: 'explore-frame' }, picture, before, chip);
const { note, say, warn, told, clip } = D.noteLine('explore-note');
const { upTo } = D, limited = D.limits(T, warn);

// The address is the recipe's link, and what else the page remembers: locks, the pad's axes.
const extras = {}; // key of the address -> its text, '' for none
const withExtras = (query) => {
  const kept = Object.entries(extras).filter(([, text]) => text);
  return query + kept.map(([key, text]) => `&${key}=${encodeURIComponent(text).replace(/%2C/g, ',')}`).join('');
};
let addressTimer = 0;
let last = { query: '', of: '', image: '', version: '' }; // the newest picture: its link, its recipe, itself, its network's hash
const address = () => {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => { if (last.query) D.address('explore', withExtras(last.query)); }, 150);
};
const show = D.newest(async (wanted, isNewest) => {
  let answer = await D.ask(server.render, { recipe: wanted });
  while (answer.lost && isNewest()) { // the picture is not the recipe's until the server is back
    told(answer);
    frame.classList.add('im-stale');
    D.keepFor('explore', wanted); // Gradio loads the page anew then
    await new Promise((done) => { setTimeout(done, 2000); });
    answer = await D.ask(server.render, { recipe: wanted });
  }
  if (!told(answer)) { modelBox.refresh(); return; } // its model may have another name now
  if (frame.classList.contains('im-stale')) { frame.classList.remove('im-stale'); D.kept('explore'); say(''); }
  picture.src = answer.image;
  frame.dataset.updates = 1 + +(frame.dataset.updates || 0); // lets tests count pictures
  last = { query: answer.query, of: JSON.stringify(wanted), image: answer.image, version: answer.version };
  if (last.of === steps.now) keep(last);
  address();
});
const draw = () => {
  D.current = D.clone(recipe);
  say('');
  comparing(false);
  return show(D.clone(recipe));
};
const linkOf = async () => { // its own picture may still be on its way
  if (last.of === JSON.stringify(recipe)) return last.query;
  const answer = await D.ask(server.link, { recipe });
  return told(answer) ? answer.query : null;
};

// -- undo, redo ---------------------------------------------------------------------------------
const steps = D.steps('explore', T, async (wanted) => {
  if (wanted.model !== recipe.model && !(await adopt(wanted.model, () => wanted))) return false;
  recipe = wanted;
  paint();
  draw();
  return true;
}, (text) => forget(text)); // quick steps of one control leave one recent picture
const commit = (by = '') => { // a change is complete
  const now = JSON.stringify(recipe);
  if (!steps.remember(now, by)) return;
  if (last.of === now) keep(last);
  onCommit.forEach((work) => work());
};
const change = (edit, by = '') => { edit(); paint(); commit(by); return draw(); };

// -- before and after -----------------------------------------------------------------------------
let origin = null, pressed = 0; // the recipe of the start: what was opened, or the last seed chosen
const startHere = () => { origin = D.clone(recipe); };
const comparing = async (on) => {
  compare.setAttribute('aria-pressed', on);
  if (!on) { before.hidden = chip.hidden = true; return; }
  const answer = await D.ask(server.draw, { recipes: [origin] });
  if (compare.getAttribute('aria-pressed') !== 'true' || !told(answer)) return;
  before.src = answer.images[0];
  before.hidden = chip.hidden = false;
};
const isComparing = () => compare.getAttribute('aria-pressed') === 'true';
const compare = button('explore-compare', T('x_compare'), 'compare', (event) => {
  if (event.detail === 0) comparing(!isComparing()); // by keyboard; the pointer's way is below
}, { bare: true });
compare.title = T('x_compare_help');
compare.addEventListener('pointerdown', () => { pressed = isComparing() ? 0 : Date.now(); comparing(!isComparing()); });
for (const end of ['pointerup', 'pointerleave', 'pointercancel']) {
  compare.addEventListener(end, () => { if (pressed && Date.now() - pressed > 350) comparing(false); pressed = 0; });
}
comparing(false);

// -- seeds ------------------------------------------------------------------------------------------
const seedBox = h('input', { id: 'explore-seed', type: 'number', min: 0, max: MOST_SEED, step: 1, 'aria-label': T('c_seed') });
const widen = (box) => { box.style.minWidth = `${box.value.length + 2}ch`; return box; }; // for ten digits, too
const sound = (seed) => clamp(Math.round(seed) || 0, 0, MOST_SEED);
const setSeed = (seed, by = '') => { // the first of a blend; the others stay
  const [[, weight], ...rest] = recipe.seeds;
  change(() => { recipe.seeds = [[sound(seed), weight], ...rest]; }, by);
  startHere();
};
seedBox.addEventListener('change', () => {
  const seed = D.readSeed(seedBox);
  if (seed === null) say(T('c_seed_wrong'), true); else setSeed(seed, 'seed');
});
const prev = button('explore-prev', T('x_prev'), 'left', () => setSeed(recipe.seeds[0][0] - 1), { bare: true });
const next = button('explore-next', T('x_next'), 'right', () => setSeed(recipe.seeds[0][0] + 1), { bare: true });
const random = button('explore-random', T('c_random'), 'random', () => setSeed(D.randomSeed()), { kind: 'im-primary' });
onPaint.push(() => {
  seedBox.value = recipe.seeds[0][0];
  widen(seedBox);
  seedBox.removeAttribute('aria-invalid');
});

// -- what goes out ----------------------------------------------------------------------------------
const download = button('explore-download', T('c_download'), 'download', async () => {
  const answer = await D.ask(server.png, { recipe, version: last.of === JSON.stringify(recipe) ? last.version : '' });
  if (!told(answer)) return;
  D.save(answer.url, answer.name);
  if (answer.note) warn(answer.note);
});
const copy = button('explore-copy', T('c_copy'), 'link', async () => {
  const query = await linkOf();
  if (query) clip(D.linkTo(withExtras(query)), T(recipe.model.startsWith('run/') ? 'c_copied_run' : 'c_copied'));
});
const toInterpolate = button('explore-to-interpolate', T('c_to_interpolate'), 'send', () => D.open('interpolate', { add: D.clone(recipe) }));
const toGenerate = button('explore-to-generate', T('c_to_generate'), 'send', () => D.open('generate', { recipe: D.clone(recipe) }));
const toDiscover = button('explore-to-discover', T('c_to_discover'), 'send', () => D.open('discover', { recipe: D.clone(recipe) }));
