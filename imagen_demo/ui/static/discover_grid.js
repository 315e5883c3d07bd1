// Grids: any two parameters of a recipe across and down. `base` is what does not vary.
const gridView = (() => {
  const SEEDS = ['seed', 'seed2', 'fine'];
  const table = pictureTable('discover-grid', T('v_grid'));
  let base = null, grid = null, of = '';

  // -- an axis: what varies, and its values as a list of seeds, a range, or all there are -------------------
  const axis = (name, initial, optional) => {
    const what = h('select', { id: `discover-grid-${name}`, 'aria-label': T(`v_${name}`) });
    const seeds = h('input', { id: `discover-grid-${name}-seeds`, type: 'text', autocomplete: 'off', 'aria-label': T('v_seeds'), title: T('v_seeds_help') });
    const number = (part, step) => h('input', { id: `discover-grid-${name}-${part}`, type: 'number', step, 'aria-label': T(part === 'count' ? 'v_steps' : `v_${part}`) });
    const [from, to, count] = [number('from', 'any'), number('to', 'any'), number('count', 1)];
    Object.assign(count, { min: 1, max: 32 });
    const layers = h('select', { id: `discover-grid-${name}-layers`, 'aria-label': T('v_layers') });
    D.options(layers, [['', T('v_layers_own')], ...['coarse', 'middle', 'fine'].map((part) => [`@${part}`, T(`v_layers_${part}`)])], '');
    const part = D.field(T('v_layers'), layers), moves = () => what.value.startsWith('d:');
    const parameter = () => what.value + (moves() ? layers.value : '');
    const range = h('div', { class: 'im-triple' }, D.field(T('v_from'), from), D.field(T('v_to'), to), D.field(T('v_steps'), count));
    const list = D.field(T('v_seeds'), seeds);
    let fixed = null; // values of a restored grid, until somebody edits them
    const defaults = () => {
      fixed = null;
      const kind = what.value, some = { psi: [0, 1, 5], share: [0, 1, 5], split: [0, model.layers, model.layers + 1] }[kind] || [-2, 2, 5];
      [from.value, to.value, count.value] = some;
      const first = kind === 'seed' ? base.seeds[0][0] : kind === 'fine' ? base.fine_seeds[0]?.[0] ?? base.seeds[0][0] + 1 : base.seeds[1]?.[0] ?? base.seeds[0][0] + 1;
      seeds.value = `${Math.min(first, MOST_SEED - 4)}-${Math.min(first, MOST_SEED - 4) + 4}`;
      dress();
    };
    const dress = () => {
      part.hidden = !moves();
      list.hidden = !SEEDS.includes(what.value);
      range.hidden = !what.value || SEEDS.includes(what.value) || ['class', 'centre'].includes(what.value);
    };
    what.addEventListener('change', () => { defaults(); open(); });
    for (const box of [seeds, from, to, count, layers]) box.addEventListener('change', () => { fixed = null; open(); });
    const fill = () => {
      const kept = what.options.length ? what.value : initial, has = { class: model.classes.length, split: base.fine_seeds.length, share: base.seeds.length === 2 };
      const names = props.grid_parameters.filter((each) => has[each] ?? true);
      const groups = [h('optgroup', { label: T('v_recipe') }, names.map((each) => h('option', { value: each }, T(`v_p_${each}`)))),
        ...['examples', 'property', 'pc', 'sefa'].map((kind) => h('optgroup', { label: T(`x_kind_${kind}`) },
          model.directions.filter((each) => !each.hidden && each.kind === kind).map((each) => h('option', { value: `d:${each.id}` }, each.name)))).filter((group) => group.children.length)];
      what.replaceChildren(...(optional ? [h('option', { value: '' }, T('v_none'))] : []), ...groups);
      what.value = kept;
      if (what.selectedIndex < 0 || (!what.value && !optional)) { what.value = initial; defaults(); }
    };
    const value = () => {
      if (!what.value) return null;
      if (fixed) return { parameter: parameter(), values: fixed };
      if (SEEDS.includes(what.value)) return { parameter: what.value, text: seeds.value };
      if (!range.hidden) return { parameter: parameter(), from: from.valueAsNumber, to: to.valueAsNumber, count: count.valueAsNumber };
      return { parameter: what.value };
    };
    const restore = (wanted) => {
      const [named, range = ''] = (wanted?.parameter || '').split('@');
      if (named && ![...what.options].some((each) => each.value === named)) what.append(h('option', { value: named }, named.replace('d:', '')));
      what.value = named;
      if (range && ![...layers.options].some((each) => each.value === `@${range}`)) layers.append(h('option', { value: `@${range}` }, range));
      layers.value = range && `@${range}`;
      dress();
      if (!wanted) return;
      [seeds.value, from.value, to.value, count.value] = [wanted.values.join(','), wanted.values[0], wanted.values.at(-1), wanted.values.length];
      fixed = wanted.values;
    };
    return { node: h('fieldset', { class: 'im-axis' }, h('legend', { class: 'im-label' }, T(`v_${name}`)), what, part, list, range), fill, value, defaults, restore, what };
  };
  const x = axis('x', 'd:pc0'), y = axis('y', 'seed', true);

  // -- what does not vary ------------------------------------------------------------------------------
  const seedField = (id, text, optional, get, write) => {
    const box = D.numberBox(id, T(text), { min: 0, max: MOST_SEED, wrong: T('c_seed_wrong'), optional, get,
      take: (seed, said) => { write(seed); refresh(); open(said, true); } });
    return { node: D.field(T(text), box), paint: () => { box.value = get() ?? ''; } };
  };
  const boxes = [
    seedField('discover-grid-seed', 'c_seed', false, () => base.seeds[0][0], (seed) => { base.seeds = [[seed, base.seeds[0][1]], ...base.seeds.slice(1)]; }),
    seedField('discover-grid-seed2', 'v_p_seed2', true, () => base.seeds[1]?.[0], (seed) => { base.seeds = seed === null ? [[base.seeds[0][0], 1]] : [[base.seeds[0][0], 0.5], [seed, 0.5]]; }),
    seedField('discover-grid-fine', 'v_p_fine', true, () => base.fine_seeds[0]?.[0], (seed) => { base.fine_seeds = seed === null ? [] : [[seed, 1]]; base.split = seed === null ? 0 : base.split || Math.ceil(model.layers / 2); }),
  ];
  const current = button('discover-grid-current', T('c_from_explore'), 'reset', () => { if (D.current) accept({ recipe: D.clone(D.current), view: 'grid' }); });
  const zone = D.fileZone('discover', T('v_drop'), 'image/png', (file) => dropped(file));
  const run = D.runs('discover-grid-cancel', T, say);

  const refresh = () => { x.fill(); y.fill(); boxes.forEach((box) => box.paint()); };
  const adapt = () => { // the model, class or truncation of the bar above
    if (base && of === model.name) { base.psi = psi.value; if (label() !== null) Object.assign(base, { label: label(), class_mix: [] }); return; }
    [base, of] = [plain(base ? base.seeds[0][0] : 0), model.name];
    refresh();
    x.defaults();
    y.defaults();
  };
  let afterwards = []; // to be said when all is drawn
  const open = (...said) => { adapt(); afterwards = said; return work(run.start()); };
  const work = D.newest(async (alive) => {
    if (!alive()) return;
    const answer = await D.ask(server.cells, { base, x: x.value(), y: y.value() });
    if (!alive()) return;
    if (!told(answer)) { run.end(alive); return; }
    grid = answer.grid;
    const bare = (name) => ({ name, recipe: null });
    const entries = [[...(y.what.value ? [null] : []), ...answer.columns.map(bare)],
      ...answer.recipes.map((row, at) => [...(y.what.value ? [bare(answer.rows[at])] : []),
        ...row.map((recipe, column) => ({ recipe, name: [`${answer.across} ${answer.columns[column]}`, ...(y.what.value ? [`${answer.down} ${answer.rows[at]}`] : [])].join(', ') }))])];
    if (await pictures(table.build(entries, answer, y.what.value ? 'rows' : 'strip'), 192, table.put, alive)) say(...afterwards);
    run.end(alive);
  });
  const rename = (from, to) => {
    if (of !== from) return;
    [of, base, grid] = [to, D.renamed(base, from, to), grid && D.renamed(grid, from, to)];
  };
  const take = (recipe, then) => {
    [base, of] = [{ ...D.clone(blank), ...D.clone(recipe), model_hash: '' }, model.name];
    refresh();
    x.defaults();
    y.defaults();
    open(then);
  };
  const adopt = (wanted) => {
    [base, of] = [{ ...D.clone(blank), ...wanted.base, model_hash: '' }, model.name];
    refresh();
    x.restore(wanted.x);
    y.restore(wanted.y);
  };
  const restore = (wanted, then) => {
    adopt(wanted);
    psi.set(base.psi);
    if (model.classes.length && base.label != null) classBox.value = String(base.label);
    return open(then);
  };
  const stage = h('div', { class: 'im-stack' }, table.node, h('div', { class: 'im-bar' }, run.cancel), h('p', { class: 'im-help' }, T('v_grid_help')));
  const panel = h('section', { class: 'im-panel' }, x.node, y.node, h('fieldset', { class: 'im-axis' }, h('legend', { class: 'im-label' }, T('v_base')), h('div', { class: 'im-triple' }, boxes.map((box) => box.node)), current),
    exporter('discover-grid', () => grid), zone);
  return { id: 'grid', rename, title: T('v_grid'), stage, panel, open, leave: () => run.stop(), take, restore, adopt, grid: () => grid };
})();
