// Mixing: coarse layers from the row's seed, fine ones from the column's (StyleGAN, figure 3); or averages of both.
const mixView = (() => {
  const table = pictureTable('discover-mix', T('v_mix'));
  let grid = null;
  const seedsBox = (id, text, value) => h('input', { id, type: 'text', value, autocomplete: 'off', spellcheck: 'false', 'aria-label': T(text), title: T('v_seeds_help'), onchange: () => open() });
  const rowsBox = seedsBox('discover-mix-rows', 'v_rows', '0-3'), columnsBox = seedsBox('discover-mix-columns', 'v_columns', '10-14');
  const mode = h('select', { id: 'discover-mix-mode', 'aria-label': T('v_mode'), onchange: () => { dress(); open(); } });
  D.options(mode, [['layers', T('v_mode_layers')], ['average', T('v_mode_average')]], 'layers');
  const start = (layers) => Math.max(1, Math.round(layers / 4)); // later ones change little in small models
  let split = null, of = '';
  const splitPlace = h('div', { class: 'im-stack' });
  const share = D.slider({ id: 'discover-mix-share', label: T('v_share'), min: 0, max: 1, step: 0.05, initial: 0.5, oninput: () => open(), limited });
  const dress = (wanted = mode.value) => {
    mode.value = wanted;
    const [layers, before] = [model.layers, split && of === model.name ? split.value : start(model.layers)];
    of = model.name;
    split = D.slider({ id: 'discover-mix-split', label: T('v_split'), min: 0, max: layers, step: 1, initial: start(layers), oninput: () => open(), limited });
    split.set(before);
    splitPlace.replaceChildren(mode.value === 'layers' ? split.node : share.node);
  };
  const other = button('discover-mix-random', T('v_elsewhere'), 'random', () => {
    const some = (count) => Array.from({ length: count }, D.randomSeed).join(',');
    [rowsBox.value, columnsBox.value] = [some(4), some(5)];
    open();
  });
  const run = D.runs('discover-mix-cancel', T, say);

  const open = () => { if (of !== model.name) dress(); return work(run.start()); };
  const work = D.newest(async (alive) => { // of a slider's many values the newest
    if (!alive()) return;
    const answer = await D.ask(server.mix, { base: plain(0), rows: rowsBox.value, columns: columnsBox.value, mode: mode.value,
      split: split.value, share: share.value });
    if (!alive()) return;
    if (!told(answer)) { run.end(alive); return; }
    grid = answer.grid;
    const { rows, columns } = answer, head = (seed) => ({ recipe: plain(seed), name: T('v_seed', { seed }), tag: String(seed), head: true });
    const named = (row, column) => T(mode.value === 'layers' ? 'v_mixed' : 'v_averaged', { row, column });
    const entries = [[{ recipe: answer.average, name: T('v_average_all'), tag: '∅', head: true }, ...columns.map(head)],
      ...rows.map((row, y) => [head(row), ...columns.map((column, x) => ({ recipe: answer.recipes[y][x], name: named(row, column) }))])];
    const titles = mode.value === 'layers' ? { across: T('v_fine_of'), down: T('v_coarse_of') } : { across: T('v_seed_plain'), down: T('v_seed_plain') };
    await pictures(table.build(entries, titles, mode.value), 192, table.put, alive);
    run.end(alive);
  });
  const stage = h('div', { class: 'im-stack' }, table.node, h('div', { class: 'im-bar' }, other, run.cancel), h('p', { class: 'im-help' }, T('v_mix_help')));
  const panel = h('section', { class: 'im-panel' }, D.field(T('v_mode'), mode), splitPlace,
    h('div', { class: 'im-pair' }, D.field(T('v_rows'), rowsBox), D.field(T('v_columns'), columnsBox)), exporter('discover-mix', () => grid));
  return { id: 'mix', title: T('v_mix'), stage, panel, open, dress, rename: (from, to) => { if (of === from) of = to; }, leave: () => run.stop(), take: (recipe) => { rowsBox.value = recipe.seeds.map(([seed]) => seed).join(','); open(); } };
})();
