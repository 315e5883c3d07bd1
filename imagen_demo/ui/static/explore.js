// The Explore tab, 8: models, links, dropped pictures; the page put together.
const modelBox = D.modelMenu('explore-model', T('c_model'), server, told, () => model, (from, to) => { // what is remembered is of the renamed model, too
  [recipe, origin] = D.renamed([recipe, origin], from, to);
  recent.forEach((each) => { each.of = D.renamed(each.of, from, to); });
  renameMarks(from, to);
  store();
  steps.rename(from, to);
  paint();
  draw();
});
modelBox.addEventListener('change', () => openModel(modelBox.value));
onPaint.push(() => { modelBox.value = recipe.model; });

const take = (facts) => {
  model = facts;
  modelBox.choose(model.name);
  for (const place of [picture, before]) place.classList.toggle('im-alpha', model.alpha);
  onModel.forEach((work) => work());
};
let wish = 0; // number of the newest model or picture that was asked for
const adopt = async (name, next) => { // another model's controls, and its recipe: next(the model's first one)
  const mine = ++wish, answer = await modelBox.describe(name);
  if (!answer) return false;
  if (mine !== wish) { modelBox.choose(model.name); return false; }
  recipe = next(answer.recipe);
  take(answer.model);
  return true;
};
const openModel = async (name) => {
  const seed = recipe?.seeds[0][0]; // stays, unless it is only the one that greeted
  const chosen = seed !== undefined && seed !== model?.first_seed;
  if (!(await adopt(name, (fresh) => (chosen ? { ...fresh, seeds: [[seed, 1]] } : fresh)))) return;
  change(() => {});
  startHere();
};
const restore = async (wanted) => {
  wish += 1;
  if ((!model || wanted.model !== model.name) && !(await adopt(wanted.model, () => D.clone(wanted)))) return;
  change(() => { recipe = D.clone(wanted); });
};
const dropped = async (file) => {
  const mine = ++wish, answer = await D.ask(server.read, { name: file.name, data: await D.readFile(file) });
  if (mine !== wish || !told(answer)) return;
  recipe = answer.recipe;
  take(answer.model);
  change(() => {});
  startHere();
  say(answer.note || T('x_restored', { name: file.name }), !!answer.note);
};
const zone = D.fileZone('explore', T('x_drop'), 'image/png', dropped);

const page = h('div', { class: 'im-columns ex-columns' },
  h('section', { class: 'im-stage' }, frame,
    h('div', { class: 'im-bar im-seeds' }, steps.undo, steps.redo, compare,
      h('span', { class: 'im-stepper' }, prev, seedBox, next), random), note, strip, apiBox,
    h('div', { class: 'im-bar ex-out' }, download, copy, api, toDiscover, toInterpolate, toGenerate)),
  h('section', { class: 'im-panel' },
    D.field(T('c_model'), modelBox), classField, psi.node,
    h('h3', { class: 'im-title', title: T('x_directions_help') }, T('x_directions'), h('span', {}, randomise, reset)),
    groups, findBox, findFold, padFold, mixFold, truncation, zone));

D.takesFiles(page, dropped);
page.addEventListener('keydown', (event) => { if (event.key === 'Escape' && isComparing()) comparing(false); });

// -- start -------------------------------------------------------------------------------------------
const receive = (message) => {
  if (message.recipe) restore(message.recipe).then(startHere);
  else if (message.model) openModel(message.model);
};
const remembered = (query) => { // what the address holds besides the recipe
  const list = (key) => (query.get(key) ?? '').split(',').filter((id) => directionOf(id));
  list('lock').forEach((id) => locked.add(id));
  extras.lock = [...locked].join(',');
  if (locked.size) buildDirections();
  if (list('pad').length === 2) list('pad').forEach((id, index) => usePad(index, id, false));
};
const start = async (message) => {
  const query = D.opened, answer = await D.ask(server.open, { query });
  if (answer.error || !answer.models.length) {
    D.noModel('explore', T, answer.error || answer.note, server, root);
    return;
  }
  modelBox.fill(answer.models, answer.model.name);
  recipe = answer.recipe;
  take(answer.model);
  remembered(new URLSearchParams(query));
  root.replaceChildren(page);
  paint();
  commit();
  startHere();
  await draw();
  say(answer.note, true);
  const kept = D.kept('explore'); // what was chosen while the server was away
  if (message) receive(message); else if (kept) receive({ recipe: kept });
};
D.begin('explore', page, start, receive);
