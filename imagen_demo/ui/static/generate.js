// The Generate tab: a grid of seeds. Pictures arrive a few at a time, and the visitor can stop.
const D = window.imagenDemo, { h, button } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
const PLAIN = { fine_seeds: [], split: 0, directions: [], size: null, centre: 'mean', psi_layers: [], noise: 0, class_mix: [] }; // what has no control here
let model = null, recipes = [], versions = [], chosen = -1, extra = PLAIN; // versions: of the network that drew each

const { note, say, warn, told } = D.noteLine('generate-note');
const grid = h('div', { class: 'im-grid', id: 'generate-grid', role: 'group', 'aria-label': T('g_grid') });

// -- one picture in detail ---------------------------------------------------------------------------
const big = h('img', { id: 'generate-picture', alt: T('c_picture') });
const caption = h('p', { class: 'im-note' });
const detailFrame = h('div', { class: 'im-frame im-frame-small' }, big);
const close = button('generate-close', T('c_close'), 'remove', () => choose(-1), { bare: true });
// The training pictures nearest to it: looked for only while the fold is open, and for the newest choice alone.
const nearest = h('div', { class: 'im-near-row' }), nearNote = h('p', { class: 'im-note', id: 'generate-nearest-note', role: 'status' });
const look = D.newest(async (recipe, isNewest) => {
  nearest.replaceChildren();
  nearNote.textContent = T('g_near_wait');
  const answer = await D.ask(server.nearest, { recipe, version: versions[chosen] });
  if (!isNewest() || recipe !== recipes[chosen]) return;
  nearNote.textContent = answer.error || answer.sentence;
  nearest.replaceChildren(...(answer.images || []).map((src, at) => h('figure', {},
    h('img', { src, alt: T('g_near_picture', { number: at + 1 }), class: model.alpha ? 'im-alpha' : '' }),
    h('figcaption', {}, T('g_near_distance', { distance: answer.distances[at] })))));
});
const near = h('details', { class: 'im-more im-near', id: 'generate-nearest' }, h('summary', {}, T('g_near')), nearNote, nearest);
near.addEventListener('toggle', () => { if (near.open && recipes[chosen]) look(recipes[chosen]); });
const detail = h('div', { class: 'im-detail', id: 'generate-detail', hidden: true }, detailFrame,
  h('div', { class: 'im-detail-side' }, h('div', { class: 'im-bar' }, caption, close),
    button('generate-to-explore', T('c_to_explore'), 'send', () => D.open('explore', { recipe: D.clone(recipes[chosen]) }), { kind: 'im-primary' }),
    button('generate-to-interpolate', T('c_to_interpolate'), 'send', () => D.open('interpolate', { add: D.clone(recipes[chosen]) })),
    button('generate-download', T('c_download'), 'download', async () => {
      const answer = await D.ask(server.png, { recipe: recipes[chosen], version: versions[chosen] });
      if (!told(answer)) return;
      D.save(answer.url, answer.name);
      if (answer.note) warn(answer.note);
    })), near);
const choose = (index) => {
  chosen = index;
  detail.hidden = index < 0;
  [...grid.children].forEach((cell, at) => cell.setAttribute('aria-pressed', at === index));
  if (index < 0) return;
  const recipe = recipes[index];
  caption.textContent = `${T('c_seed')} ${recipe.seeds[0][0]}`;
  const { src } = grid.children[index].firstChild;
  if (src) big.src = src; else big.removeAttribute('src'); // it is on its way
  if (near.open) look(recipe);
  D.reveal(detail);
};

// -- the grid -----------------------------------------------------------------------------------------
const generate = async () => {
  const alive = run.start();
  const plan = await D.ask(server.plan, {
    model: modelBox.value, seeds: seedsBox.value, count: +countBox.value, psi: psi.value,
    label: /\d/.test(classBox.value) ? +classBox.value : null, extra,
  });
  if (!alive()) return;
  if (!told(plan)) { run.end(alive); return; }
  [recipes, versions] = [plan.recipes, []];
  if (countBox.disabled) countBox.value = String(recipes.length);
  if (document.getElementById('generate-file') && !zip.matches('[aria-busy]')) trigger('renewed', {});
  choose(-1);
  grid.classList.toggle('im-many', recipes.length > 60);
  grid.replaceChildren(...recipes.map((recipe, index) => {
    const seed = recipe.seeds[0][0];
    return h('button', { type: 'button', class: `im-cell ${model.alpha ? 'im-alpha' : ''}`, 'aria-label': `${T('c_seed')} ${seed}`, 'data-seed': String(seed),
      onclick: () => choose(index) }, h('img', { alt: '' }), h('span', {}, String(seed)));
  }));
  const total = recipes.length;
  await D.drawAll(server.draw, recipes, null, { alive, told,
    put: (index, src, version) => { grid.children[index].firstChild.src = src; versions[index] = version; if (chosen === index) big.src = src; },
    progress: (done) => say(done < total ? T('c_pictures', { done, total }) : '') });
  run.end(alive);
};
const soon = (() => { let timer = 0; return () => { clearTimeout(timer); timer = setTimeout(generate, 150); }; })();

// -- settings -------------------------------------------------------------------------------------------
const modelBox = D.modelMenu('generate-model', T('c_model'), server, told, () => model, (from, to) => { recipes = D.renamed(recipes, from, to); });
modelBox.addEventListener('change', async () => { extra = PLAIN; if (await adopt(modelBox.value)) generate(); });
const classBox = h('select', { id: 'generate-class', 'aria-label': T('c_class') });
classBox.addEventListener('change', () => { extra = { ...extra, class_mix: [] }; classBox.querySelector('[value=mix]')?.remove(); soon(); });
const classField = D.field(T('c_class'), classBox);
const seedsBox = h('input', { id: 'generate-seeds', type: 'text', value: '0', spellcheck: 'false', 'aria-label': T('g_seeds') });
const seedsHelp = h('small', { class: 'im-help', id: 'generate-seeds-help' }, T('g_seeds_help'));
seedsBox.setAttribute('aria-describedby', seedsHelp.id);
const countOrList = () => { countBox.disabled = /\d[^\d]+\d/.test(seedsBox.value); }; // a list of seeds sets the number
const beginAt = (seed) => { seedsBox.value = String(seed); countOrList(); };
seedsBox.addEventListener('input', countOrList);
seedsBox.addEventListener('change', soon);
const countBox = h('input', { id: 'generate-count', type: 'number', min: 1, max: 400, step: 1, value: '24', 'aria-label': T('g_count') });
countBox.addEventListener('change', soon);
const psi = D.slider({ id: 'generate-psi', label: T('c_psi'), min: 0, max: 1.5, step: 0.01, initial: props.default_psi, onchange: () => { extra = { ...extra, psi_layers: [] }; soon(); },
  within: D.upTo(props.limits.psi), limited: D.limits(T, warn) });
psi.node.title = T('c_psi_help');
const another = button('generate-random', T('g_more'), 'random', () => { beginAt(D.randomSeed()); generate(); }, { kind: 'im-primary' });
const run = D.runs('generate-cancel', T, say);
const zip = button('generate-zip', T('g_zip'), 'download', () => { if (recipes.length) trigger('zip', { recipes: D.clone(recipes), versions: recipes.map((_, index) => versions[index] ?? ''), job: D.ticket() }); });
const page = h('div', { class: 'im-stack' },
  h('section', { class: 'im-panel im-wide' }, D.field(T('c_model'), modelBox), classField,
    D.field(T('g_seeds'), seedsBox), D.field(T('g_count'), countBox), psi.node, h('div', { class: 'im-bar im-end' }, another, zip, run.cancel), seedsHelp),
  note, detail, grid);

const adopt = async (name) => {
  const answer = await modelBox.describe(name);
  if (!answer) return false;
  model = answer.model;
  D.options(classBox, [['', T('c_all_classes')], ...model.classes.map((title, index) => [index, title])], '');
  classField.hidden = !model.classes.length;
  detailFrame.classList.toggle('im-alpha', model.alpha);
  return true;
};
const accept = async (recipe) => { // the neighbours of another tab's picture: its sliders, other seeds
  if (!(await adopt(recipe.model))) return;
  extra = Object.fromEntries(Object.keys(PLAIN).map((key) => [key, recipe[key] ?? PLAIN[key]]));
  psi.set(recipe.psi);
  if (recipe.label != null) classBox.value = String(recipe.label);
  if (extra.class_mix.length) { classBox.append(h('option', { value: 'mix' }, T('g_class_mix'))); classBox.value = 'mix'; }
  beginAt(recipe.seeds[0][0]);
  generate();
};
const start = async (message) => {
  const answer = await D.ask(server.models, {});
  if (answer.error || !answer.models.length) {
    D.noModel('generate', T, answer.error, server, root);
    return;
  }
  modelBox.fill(answer.models, answer.models[0].name);
  root.replaceChildren(page);
  if (message?.recipe) { await accept(message.recipe); return; }
  if (await adopt(D.current?.model || answer.models[0].name)) generate();
};
D.begin('generate', page, start, (message) => { if (message.recipe) accept(message.recipe); });
