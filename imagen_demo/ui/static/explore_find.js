// The Explore tab, 6: more directions. Found by looking at many pictures, made from examples, imported.

// -- found: a job of the server's that every page of this model watches ---------------------------------
const findNote = h('p', { class: 'ex-say', id: 'explore-find-note', role: 'status' });
const bar = h('progress', { max: 1, value: 0, id: 'explore-find-bar', 'aria-label': T('x_find'), hidden: true });
const find = button('explore-find', T('x_find'), 'find', () => watchFinding('find'), { kind: 'ex-small' });
const stopFinding = button('explore-find-cancel', T('c_cancel'), 'stop', () => D.ask(server.stop_finding, { model: model.name }), { kind: 'ex-small' });
let watched = 0;
const paintFinding = ({ state, fraction, text, error }) => {
  const busy = state === 'working';
  bar.hidden = stopFinding.hidden = !busy;
  find.hidden = busy || state === 'complete';
  bar.value = fraction ?? 0;
  findNote.classList.toggle('im-bad', !!error);
  if (busy) findNote.textContent = T('x_percent', { percent: Math.round(100 * fraction), text });
  else findNote.textContent = error ?? { complete: T('x_find_again'), cancelled: T('c_cancelled') }[state] ?? T('x_find_help');
};
const watchFinding = async (call) => {
  const mine = ++watched, name = model.name;
  for (let asked = call, first = true; root.isConnected; asked = 'finding', first = false) {
    const answer = await D.ask(server[asked], { model: name });
    if (mine !== watched || model.name !== name) return; // another model, or asked again
    paintFinding(answer);
    if (answer.error || answer.state !== 'working') {
      if (answer.model && !(first && call === 'finding')) { // it ended while this page watched
        take(answer.model);
        paint();
        say(T('x_found', { count: model.directions.length }));
      }
      return;
    }
    await new Promise((done) => setTimeout(done, 500));
  }
};
const findBox = h('div', { class: 'ex-list', id: 'explore-find-box' }, find, findNote, bar, stopFinding);
let findingOf = '';
const lookAtFinding = () => { // once a model, where it may not have been done
  findBox.hidden = model.directions.some(({ kind }) => kind === 'property' || kind === 'sefa');
  if (!findBox.hidden && findingOf !== model.name) watchFinding('finding');
  findingOf = model.name;
};
onModel.push(lookAtFinding);

// -- imported and exported --------------------------------------------------------------------------------
const importer = h('input', { type: 'file', id: 'explore-import', class: 'im-hidden', accept: '.safetensors', 'aria-label': T('x_import') });
importer.addEventListener('change', async () => {
  const [file] = importer.files;
  if (!file) return;
  const answer = await manage('import_directions', { name: file.name, data: await D.readFile(file) });
  importer.value = '';
  if (answer) say(['names', 'known'].map((list) => (answer[list].length ? T(list === 'names' ? 'x_imported' : 'x_known', { names: answer[list].join(LISTED) }) : '')).join(' '));
});
const own = () => model.directions.filter(({ kind }) => kind === 'examples').map(({ id }) => id);
const exportOwn = button('explore-export', T('x_export_all'), 'download', () => exportThem(own()), { kind: 'ex-small' });

// -- made from examples -----------------------------------------------------------------------------------
const POOL = 18, MARKS = ['none', 'with', 'without'], SIGNS = { '+': 'with', '-': 'without', '−': 'without', 0: 'none' };
const marks = new Map(); // recipe as text -> 'with' | 'without'
let pool = 'seeds', poolStart = 0;
const cells = h('div', { class: 'im-grid ex-pool', id: 'explore-examples-pool', role: 'group', 'aria-label': T('x_examples') });
const count = h('p', { class: 'ex-say', id: 'explore-examples-count', role: 'status' });
const markLabel = (name, mark) => `${name}: ${T(`x_mark_${mark}`)}`;
const renameMarks = (from, to) => { // the marked pictures are of the renamed model, too
  const kept = [...marks].map(([text, mark]) => [D.renamed(text, from, to), mark]);
  marks.clear();
  kept.forEach(([text, mark]) => marks.set(text, mark));
  if (marksOf === from) marksOf = to;
  paintPool();
};
const countMarks = () => {
  const of = (mark) => [...marks.values()].filter((each) => each === mark).length;
  count.textContent = T('x_examples_count', { with: of('with'), without: of('without') });
};
const poolCell = (text, src, name) => {
  const node = cell('', src, () => put(MARKS[(MARKS.indexOf(marks.get(text) ?? 'none') + 1) % 3]), { 'data-recipe': text });
  const put = (mark) => {
    if (mark === 'none') marks.delete(text); else marks.set(text, mark);
    markCell();
    countMarks();
  };
  const markCell = () => {
    const mark = marks.get(text) ?? 'none';
    node.dataset.mark = mark;
    node.setAttribute('aria-label', markLabel(name, mark));
  };
  node.addEventListener('keydown', (event) => { if (event.key in SIGNS) { event.preventDefault(); put(SIGNS[event.key]); } });
  markCell();
  return node;
};
const paintPool = D.newest(async (_, still) => {
  if (!examples.open || !recipe) return;
  if (pool === 'recent') {
    await drawRecent();
    if (!still()) return;
    const here = recent.filter(({ of }) => JSON.parse(of).model === model.name);
    cells.replaceChildren(...here.map(({ of, image }, index) => poolCell(of, image, T('x_recent_picture', { number: index + 1 }))));
    if (!here.length) cells.append(h('p', { class: 'ex-say' }, T('x_recent_none')));
    return;
  }
  const recipes = Array.from({ length: POOL }, (_, index) => {
    const each = plain(poolStart + index);
    if (model.classes.length && !sameClass.checked) Object.assign(each, { label: index % model.classes.length, class_mix: [] });
    return each;
  });
  const answer = await D.ask(server.draw, { recipes, side: 96 });
  if (!told(answer) || !still()) return;
  cells.replaceChildren(...recipes.map((each, index) => poolCell(JSON.stringify(each), answer.images[index], seedName(each.seeds[0][0]))));
});
const poolView = (kind, text) => h('button', { type: 'button', class: 'ex-view', 'data-pool': kind, onclick: () => { pool = kind; markPool(); paintPool(); } }, text);
const poolViews = [poolView('seeds', T('x_examples_seeds')), poolView('recent', T('x_recent'))];
const markPool = () => { poolViews.forEach((each) => each.setAttribute('aria-pressed', each.dataset.pool === pool)); otherSeeds.disabled = pool !== 'seeds'; };
const otherSeeds = button('explore-examples-more', T('x_examples_more'), 'random', () => { poolStart += POOL; paintPool(); }, { kind: 'ex-small' });
const clearMarks = button('explore-examples-clear', T('x_examples_clear'), 'remove', () => { marks.clear(); countMarks(); paintPool(); }, { kind: 'ex-small' });
const sameClass = h('input', { type: 'checkbox', id: 'explore-examples-class', checked: true });
sameClass.addEventListener('change', () => { withinField.hidden = sameClass.checked; paintPool(); });
const sameClassField = h('label', { class: 'im-check' }, sameClass, h('span', {}, T('x_examples_class')));
const against = h('div', { class: 'ex-checks', id: 'explore-examples-against' });
const exampleName = h('input', { type: 'text', id: 'explore-examples-name', maxlength: 40, placeholder: T('x_examples_name'), 'aria-label': T('x_examples_name') });
const exampleNote = h('p', { class: 'ex-say', id: 'explore-examples-note', role: 'status' });
const notice = (text, bad) => { exampleNote.textContent = text; exampleNote.classList.toggle('im-bad', !!bad); };
const makeDirection = async (call, payload) => {
  const name = exampleName.value.trim();
  if (!name) { notice(T('x_examples_unnamed'), true); exampleName.focus(); return; }
  const chosen = [...against.querySelectorAll('input:checked')].map((box) => box.value);
  make.disabled = true;
  const answer = await D.ask(server[call], { model: model.name, name, against: chosen, layers: exampleLayers.value, ...payload });
  make.disabled = false;
  if (answer.error) { notice(answer.error, true); return; }
  if (answer.model.name !== model.name) return; // another one is open by now
  take(answer.model);
  groups.querySelector('[data-kind=examples]').open = true;
  paint();
  exampleName.value = '';
  notice(T('x_examples_made', { name }));
};
const make = button('explore-examples-make', T('x_examples_make'), 'add', () => {
  const of = (mark) => [...marks].filter(([, each]) => each === mark).map(([text]) => JSON.parse(text));
  if (!of('with').length || !of('without').length) { notice(T('x_examples_none'), true); return; }
  makeDirection('from_examples', { with: of('with'), without: of('without'), within_class: model.classes.length > 0 && withinClass.checked });
}, { kind: 'im-primary' });
const towards = button('explore-from-class', T('x_from_class'), 'send', () => makeDirection('from_class', { label: recipe.label ?? 0 }), { kind: 'ex-small' });
const withinClass = h('input', { type: 'checkbox', id: 'explore-examples-within', checked: true });
const withinField = h('label', { class: 'im-check' }, withinClass, h('span', {}, T('x_examples_within')));
const exampleLayers = h('select', { id: 'explore-examples-layers', 'aria-label': T('x_layers') });
D.options(exampleLayers, ['', 'coarse', 'middle', 'fine'].map((range) => [range, T(`x_layers_${range || 'all'}`)]), '');
const examples = h('details', { class: 'im-more', id: 'explore-examples' }, h('summary', {}, T('x_examples')), h('div', { class: 'ex-list' },
  h('p', { class: 'ex-say' }, T('x_examples_help')), h('div', { class: 'ex-views' }, poolViews), cells, count, sameClassField,
  h('div', { class: 'ex-line' }, otherSeeds, clearMarks), exampleName,
  h('div', { class: 'ex-line' }, h('span', { class: 'im-label' }, T('x_layers')), exampleLayers), withinField,
  h('details', { class: 'im-more' }, h('summary', {}, T('x_examples_against')), against),
  h('div', { class: 'ex-line' }, make, towards), exampleNote));
examples.addEventListener('toggle', () => { markPool(); countMarks(); paintPool(); });
let marksOf = '', poolClass = '';
onPaint.push(() => {
  towards.disabled = recipe.class_mix.length > 0; // there is no one class that is chosen
  const chosen = JSON.stringify([recipe.label, recipe.class_mix]);
  if (chosen !== poolClass && pool === 'seeds' && sameClass.checked) paintPool();
  poolClass = chosen;
});
onModel.push(() => {
  if (marksOf !== model.name) { marks.clear(); poolStart = 0; marksOf = model.name; paintPool(); }
  sameClassField.hidden = towards.hidden = !model.classes.length;
  withinField.hidden = !model.classes.length || sameClass.checked;
  exportOwn.hidden = !own().length;
  against.replaceChildren(...model.directions.filter(({ hidden }) => !hidden).map(({ id, name }) =>
    h('label', { class: 'im-check' }, h('input', { type: 'checkbox', value: id }), h('span', {}, name))));
});

const findFold = h('details', { class: 'im-more', id: 'explore-find-fold' }, h('summary', {}, T('x_find_title')), h('div', { class: 'ex-list' },
  examples,
  h('div', { class: 'ex-line' }, h('label', { class: 'im-button ex-small ex-file' }, D.icon('add'), T('x_import'), importer), exportOwn)));
