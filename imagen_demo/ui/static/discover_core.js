// The Discover tab, first part: what its views share. The scripts run in one scope inside gr.HTML: element, props,
// server and trigger are given. A view is {id, panel, stage, open(), take(recipe)}; discover.js puts them together.
const D = window.imagenDemo, { h, button, MOST_SEED } = D, T = D.texts(props.texts);
const root = element.querySelector('.im-root');
let model = null, blank = null; // the model's facts, and its plain recipe with every field

const { note, say, warn, told, clip } = D.noteLine('discover-note');
const limited = D.limits(T, warn);
const ask = async (call, payload) => { // the answer, or null and its sentence above the view
  const answer = await D.ask(call, payload);
  return told(answer) ? answer : null;
};

// -- what every view starts from -----------------------------------------------------------------------
const modelBox = D.modelMenu('discover-model', T('c_model'), server, told, () => model, (from, to) => {
  blank = D.renamed(blank, from, to);
  [breedView, mixView, gridView].forEach((each) => each.rename(from, to));
  unchoose();
  if (view) show(view);
});
const classBox = h('select', { id: 'discover-class', 'aria-label': T('c_class') });
const classField = D.field(T('c_class'), classBox);
const psi = D.slider({ id: 'discover-psi', label: T('c_psi'), min: 0, max: 1.5, step: 0.01, initial: props.default_psi, onchange: () => renew(),
  within: D.upTo(props.limits.psi), limited });
psi.node.title = T('c_psi_help');
const label = () => (model.classes.length && classBox.value !== '' ? +classBox.value : null);
const plain = (seed) => ({ ...D.clone(blank), seeds: [[seed, 1]], psi: psi.value, label: label() ?? blank.label });

const pictures = (recipes, side, put, alive, { quiet = false, call = server.draw } = {}) => D.drawAll(call, recipes, side, { put, alive, told,
  progress: (done) => { if (!quiet) say(done < recipes.length ? T('c_pictures', { done, total: recipes.length }) : ''); } });

// -- the chosen picture ----------------------------------------------------------------------------------
const some = (pairs, most = 4) => pairs.slice(0, most).map(([seed]) => seed).join(', ') + (pairs.length > most ? ' …' : '');
const describe = (recipe) => {
  const said = [T(recipe.seeds.length > 1 ? 'v_blend' : 'v_seed', { seed: recipe.seeds[0][0], seeds: some(recipe.seeds) })];
  if (recipe.fine_seeds?.length) said.push(T('v_fine_from', { seeds: some(recipe.fine_seeds), split: recipe.split }));
  if (recipe.directions.length) said.push(T('v_moved', { count: recipe.directions.length }));
  return said.join(D.chinese ? '，' : '; ');
};
const brief = ({ seeds }) => T(seeds.length > 1 ? 'v_blend' : 'v_seed', { seed: seeds[0][0], seeds: some(seeds, 2) }); // the bred have long names
let chosen = null, chosenVersion = ''; // and of which version of its network the picture is that one sees
const big = h('img', { id: 'discover-picture', alt: T('c_picture') });
const bigFrame = h('div', { class: 'im-frame', onclick: () => chosenPanel.classList.toggle('im-large') }, big); // a sheet on a phone
const caption = h('p', { class: 'im-note im-caption', id: 'discover-caption' });
const send = (tab, message) => () => D.open(tab, message());
const copy = button('discover-copy', T('c_copy'), 'link', async () => {
  const answer = await ask(server.link, { recipe: chosen });
  if (answer) clip(D.linkTo(answer.query), T(chosen.model.startsWith('run/') ? 'c_copied_run' : 'c_copied'));
}, { bare: true });
const download = button('discover-download', T('c_download'), 'download', async () => {
  const answer = await ask(server.png, { recipe: chosen, version: chosenVersion });
  if (answer) { D.save(answer.url, answer.name); if (answer.note) warn(answer.note); }
}, { bare: true });
const actions = h('div', { class: 'im-actions' },
  button('discover-to-explore', T('c_to_explore'), 'send', send('explore', () => ({ recipe: D.clone(chosen) })), { kind: 'im-primary' }),
  button('discover-to-interpolate', T('c_to_interpolate'), 'send', send('interpolate', () => ({ add: D.clone(chosen) }))),
  button('discover-to-generate', T('c_to_generate'), 'send', send('generate', () => ({ recipe: D.clone(chosen) }))),
  button('discover-to-breed', T('v_to_breed'), 'right', () => accept({ recipe: D.clone(chosen), view: 'breed' })),
  button('discover-to-grid', T('v_to_grid'), 'right', () => accept({ recipe: D.clone(chosen), view: 'grid' })));
const chosenPanel = h('section', { class: 'im-panel im-chosen', id: 'discover-chosen', hidden: true, 'aria-label': T('v_chosen') },
  bigFrame, h('div', { class: 'im-caption-bar' }, caption, download, copy, button('discover-close', T('c_close'), 'remove', () => unchoose(), { bare: true })), actions);
const enlarge = D.newest(async (recipe, newest) => {
  const answer = await ask(server.draw, { recipes: [recipe], side: 512 });
  if (answer && newest()) { big.src = answer.images[0]; chosenVersion = answer.versions[0]; }
});
const choose = (recipe, src) => {
  chosen = { ...D.clone(blank), ...D.clone(recipe) };
  chosenPanel.hidden = false;
  caption.textContent = caption.title = describe(chosen);
  chosenVersion = '';
  if (src) big.src = src;
  enlarge(chosen);
};
const unchoose = () => { chosen = null; chosenPanel.hidden = true; };
