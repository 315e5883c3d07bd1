// The Discover tab, last part: the switch between its views, models, and messages from other tabs.
const views = [mapView, breedView, mixView, gridView];
let view = null;
const switcher = h('div', { class: 'im-switch', role: 'radiogroup', 'aria-label': T('v_views') }, views.map((each) => h('label', { class: 'im-segment' },
  h('input', { type: 'radio', name: 'discover-view', id: `discover-view-${each.id}`, class: 'im-hidden', value: each.id, onchange: () => show(each) }),
  h('span', {}, each.title))));
const stage = h('section', { class: 'im-stage im-discover' }), panel = h('div', { class: 'im-side' });
const page = h('div', { class: 'im-stack' },
  h('div', { class: 'im-discover-top' }, switcher, h('div', { class: 'im-wide im-discover-base' }, D.field(T('c_model'), modelBox), classField, psi.node)),
  h('div', { class: 'im-columns' }, stage, panel));

const paintClasses = () => { // only the map and the first litter can have the classes in turn
  const before = classBox.value;
  D.options(classBox, [...(view.all ? [['', T('c_all_classes')]] : []), ...model.classes.map((name, index) => [index, name])], before);
  if (classBox.selectedIndex < 0) classBox.selectedIndex = 0;
};
const show = (next) => {
  if (view && view !== next) { view.leave(); unchoose(); }
  view = next;
  if (!model) return; // on its way; start() shows it then
  document.getElementById(`discover-view-${view.id}`).checked = true;
  stage.classList.toggle('im-not-its', madeIn !== view);
  say('');
  stage.replaceChildren(note, view.stage); // above: what is under way stays in sight
  panel.replaceChildren(view.panel, chosenPanel);
  paintClasses();
  view.open();
};
const renew = () => { if (view) view.open(); };
classBox.addEventListener('change', () => renew());
modelBox.addEventListener('change', async () => { if (await adopt(modelBox.value)) { unchoose(); show(view); } });

const adopt = async (name) => {
  const answer = await modelBox.describe(name);
  if (!answer) return false;
  [model, blank] = [answer.model, answer.recipe];
  classField.hidden = !model.classes.length;
  if (view) paintClasses();
  bigFrame.classList.toggle('im-alpha', model.alpha);
  return true;
};
// Another tab's picture: {recipe, view}; "grid" makes a grid around it, "breed" its children, "map" its surroundings.
const accept = async ({ recipe, view: wanted }, said) => {
  if ((!model || recipe.model !== model.name) && !(await adopt(recipe.model))) return;
  psi.set(recipe.psi);
  show(views.find((each) => each.id === wanted) || view || views[0]);
  if (model.classes.length && recipe.label != null) classBox.value = String(recipe.label);
  if (wanted) view.take(recipe, said);
  if (!wanted || view === mapView) choose(recipe); else unchoose(); // the other views are about it, and leave room for their settings
};
// A picture dropped on the tab, or chosen: a grid comes back as it was; any other picture is what a grid is made around.
const dropped = async (file) => {
  const answer = await ask(server.read, { name: file.name, data: await D.readFile(file) });
  if (!answer) return;
  const said = answer.note || T('v_restored', { name: file.name });
  if (!answer.grid) { await accept({ recipe: answer.recipe, view: 'grid' }, said); return; }
  if (answer.grid.base.model !== model?.name && !(await adopt(answer.grid.base.model))) return;
  if (view !== gridView) show(gridView);
  gridView.restore(answer.grid, said);
};
D.takesFiles(page, dropped);
// A reload keeps the view and what is set in it.
const boxes = () => [page, ...views.map((each) => each.panel)].flatMap((each) => [...each.querySelectorAll('input[id], select[id]')])
  .filter((box) => !['file', 'radio', 'range'].includes(box.type) && box.closest('fieldset') === null && box !== modelBox);
const worth = (box) => (box.type === 'checkbox' ? 'checked' : 'value');
window.addEventListener('pagehide', () => {
  if (!view || !root.isConnected) return;
  boxes().forEach((box) => box.paint?.()); // a number may be half typed
  D.keepFor('discover', { model: model.name, view: view.id, grid: gridView.grid(), set: Object.fromEntries(boxes().map((box) => [box.id, box[worth(box)]])) });
});
const recall = (before, same) => { // `same`: of this model; a class and layers of another mean nothing here
  view ||= views.find((each) => each.id === before.view) || views[0];
  paintClasses();
  mixView.dress(before.set?.['discover-mix-mode']);
  const skipped = same ? [] : [classBox.id, 'discover-mix-split-number'];
  for (const box of boxes()) {
    if (before.set?.[box.id] == null || skipped.includes(box.id)) continue;
    box[worth(box)] = before.set[box.id];
    if (box.tagName === 'SELECT' && box.selectedIndex < 0) box.selectedIndex = 0;
    box.paint?.();
  }
  if (same && before.grid) gridView.adopt(before.grid);
};
const start = async (message) => {
  const answer = await D.ask(server.models, {});
  if (answer.error || !answer.models.length) {
    D.noModel('discover', T, answer.error, server, root);
    return;
  }
  modelBox.fill(answer.models, answer.models[0].name);
  root.replaceChildren(page);
  const first = message?.recipe, before = D.kept('discover'), again = answer.models.some((each) => each.name === before?.model) && !message?.model;
  if (!(await adopt(first?.model || message?.model || (again && before.model) || D.current?.model || answer.models[0].name))) return;
  if (before) recall(before, model.name === before.model);
  if (first) await accept(message); else show(view || views[0]);
};
D.begin('discover', page, start, async (message) => {
  if (message.recipe) accept(message); else if (message.model && await adopt(message.model)) show(view);
});
