// The page around the tabs: the tab in the address, buttons whose long work goes on elsewhere, undo, lost connections.
// Loaded in <head> after common.js, whose helpers it joins.
(() => {
  const D = window.imagenDemo, { h } = D;

  // -- the address ----------------------------------------------------------------------------------
  // The link of the tab in sight and, in the hash, the tab, so that links to pictures stay what they are:
  // ?seed=5#tab=train. Explore needs none. Another tab is another entry of the history; what changes within one is not.
  const hashOf = (tab) => (tab && tab !== 'explore' ? `#tab=${tab}` : '');
  const hashTab = () => D.tabs.find((tab) => hashOf(tab) && hashOf(tab) === location.hash);
  const tabInSight = () => D.tabs.find((tab) => document.getElementById(`tab-${tab}`)?.offsetParent);
  const links = {};
  const writeAddress = () => {
    const tab = tabInSight(), theme = new URLSearchParams(location.search).get('__theme');
    const search = links[tab] ? `?${links[tab]}${theme ? `&__theme=${theme}` : ''}` : location.search;
    if (!tab || (wanted && tab !== wanted)) return; // on the way to another
    history[tab === entry ? 'replaceState' : 'pushState'](history.state, '', location.pathname + search + hashOf(tab));
    entry = tab;
  };
  const address = (tab, query) => { links[tab] = query; writeAddress(); };
  let entry = hashTab() ?? (new URLSearchParams(D.opened).has('t') ? 'interpolate' : 'explore'); // the tab of the history's; a film's link opens on its own
  let wanted = null; // the tab to open, until it is in sight or the visitor chooses another
  const openTab = (tab) => { // as soon as there are tabs
    wanted = tab;
    const end = Date.now() + 20000;
    const timer = setInterval(() => {
      const here = tabInSight();
      if (here !== tab && wanted === tab && Date.now() < end) { if (here) D.showTab(tab); return; }
      clearInterval(timer);
      if (wanted === tab) { wanted = null; writeAddress(); }
    }, 60);
  };
  const opened = (before, tries = 50) => setTimeout(() => { // once Gradio has changed tabs
    const tab = tabInSight();
    if (tab && tab !== before) { writeAddress(); D.arrived(tab); } else if (tries) opened(before, tries - 1);
  }, 100);
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('#tabs [role=tab], #tabs .overflow-dropdown button')) return;
    if (event.isTrusted) wanted = null;
    opened(tabInSight());
  }, true);
  window.addEventListener('popstate', () => { // back, forward, or another hash
    const tab = hashTab() ?? (location.hash ? null : 'explore');
    if (tab) { entry = tab; openTab(tab); }
  });
  if (entry !== 'explore') openTab(entry);

  // -- long work -------------------------------------------------------------------------------------
  // The button turns its wheel and does not answer; what comes of it is brought into sight, or saved where it is a file.
  const busy = (node, on) => { if (on) node?.setAttribute('aria-busy', 'true'); else node?.removeAttribute('aria-busy'); };
  const reveal = (id, tries = 20) => setTimeout(() => { // it may have yet to appear
    const node = document.getElementById(id);
    if (node?.offsetHeight) D.reveal(node);
    else if (tries) reveal(id, tries - 1);
  }, 100);
  const made = {}; // output -> what it last held, as text: after a failure it still does
  const at = {}; // output -> the button at work: the one named, else the one that asked for it last
  let pressed = null, asking = null;
  const ticket = () => { asking = pressed; return `${Date.now()}-${Math.random()}`; }; // tells one long job of this page from the next
  const jobBegins = (button, ...places) => {
    at[places[0]] = document.getElementById(button) ?? asking;
    busy(at[places[0]], true);
    places.forEach((id) => reveal(id));
  };
  const jobEnds = (button, output, value, save) => {
    busy(at[output], false);
    const file = [value].flat()[0], text = JSON.stringify(file);
    if (!file || text === made[output]) return;
    made[output] = text;
    if (save && file.url) D.save(file.url, file.orig_name || ''); else reveal(output);
  };
  document.addEventListener('click', (event) => {
    pressed = event.target.closest?.('button') ?? pressed;
    if (event.target.closest?.('button[aria-busy=true]')) { event.stopPropagation(); event.preventDefault(); }
  }, true);

  // -- undo, redo --------------------------------------------------------------------------------------------
  // Two buttons, and Ctrl+Z and Ctrl+Shift+Z while they are in sight and nobody types, through the states of a tab, each a
  // text of JSON. remember(text, by): a change is complete (slider let go, number entered); false where there is none. Quick
  // steps of one control, `by`, are one, and replaced(text) hears of those within. back(state): to it, false if that failed.
  const steps = (tab, T, back, replaced = () => {}) => {
    const past = [], future = [];
    let now = null, hand = '', moment = 0, stepping = false;
    const paint = () => { undo.disabled = !past.length; redo.disabled = !future.length; };
    const remember = (text, by = '') => {
      if (text === now) return false;
      if (by && by === hand && Date.now() - moment < 1200) replaced(now); else if (now) past.push(now);
      if (past.length > 200) past.shift();
      [now, hand, moment] = [text, by, Date.now()];
      future.length = 0;
      paint();
      return true;
    };
    const rename = (from, to) => { // a model, in all states
      [past, future].forEach((list) => list.forEach((text, index) => { list[index] = D.renamed(text, from, to); }));
      now = D.renamed(now, from, to);
    };
    const shift = (from, to) => { to.push(now); [now, hand] = [from.pop(), '']; paint(); };
    const step = async (from, to) => {
      if (stepping || !from.length) return;
      stepping = true;
      shift(from, to);
      const wanted = now;
      try {
        if (!(await back(JSON.parse(wanted))) && now === wanted) shift(to, from);
      } finally { stepping = false; }
    };
    const undo = D.button(`${tab}-undo`, T('c_undo'), 'undo', () => step(past, future), { bare: true });
    const redo = D.button(`${tab}-redo`, T('c_redo'), 'redo', () => step(future, past), { bare: true });
    document.addEventListener('keydown', (event) => {
      const key = event.key?.toLowerCase(), typing = ['number', 'text', 'textarea'].includes(event.target.type);
      if (!(event.ctrlKey || event.metaKey) || !['z', 'y'].includes(key) || typing || !undo.offsetParent) return;
      event.preventDefault();
      if (event.shiftKey || key === 'y') step(future, past); else step(past, future);
    });
    paint();
    return { undo, redo, remember, rename, get now() { return now; } };
  };

  // -- typed numbers, and what outlives a reload -----------------------------------------------------------
  // A whole number from 0 to the field's own most, else null and the field says that it is wrong.
  const readSeed = (box) => {
    const text = box.value.trim(), right = /^\d{1,10}$/.test(text) && +text <= +(box.max || D.MOST_SEED);
    box.setAttribute('aria-invalid', !right);
    return right ? +text : null;
  };
  // A field for a number from `min` to `max`, whole where `step` is 1. take(value, said) gets what was typed, brought within
  // the limits; what makes no number is put back; `said` is `wrong` where that changed it. `optional`: null when emptied.
  const numberBox = (id, label, { min, max, step = 1, wrong, optional = false, get, take }) => {
    const box = h('input', { id, type: 'number', min, max, step, 'aria-label': label });
    box.addEventListener('change', () => {
      const typed = box.valueAsNumber, emptied = box.value === '' && !box.validity.badInput;
      const within = Math.min(max, Math.max(min, step === 1 ? Math.round(typed) : typed));
      const value = !Number.isNaN(typed) ? within : emptied && optional ? null : get() ?? null;
      take(value, emptied || value === typed ? '' : wrong);
      box.value = get() ?? '';
    });
    return box;
  };
  const keepFor = (tab, value) => { try { sessionStorage.setItem(`imagen-${tab}`, JSON.stringify(value)); } catch { /* private window */ } };
  const kept = (tab) => { // once
    try {
      const text = sessionStorage.getItem(`imagen-${tab}`);
      sessionStorage.removeItem(`imagen-${tab}`);
      return JSON.parse(text);
    } catch { return null; }
  };

  // -- an empty folder -------------------------------------------------------------------------------------
  // Gradio is silent about one; to the browser it is as if nothing had been chosen.
  const NOTHING = D.chinese ? '没有选中任何图片：该文件夹是空的，或者您取消了选择。请选择存放图片的文件夹。'
    : 'Nothing was chosen: the folder is empty, or you pressed Cancel. Choose the folder that holds your pictures.';
  const tellNothing = ({ target }) => {
    if (!target.matches?.('input[webkitdirectory]')) return;
    document.getElementById('train-folder-note')?.remove();
    if (!target.files.length) document.getElementById('train-prepare-note').after(h('p', { id: 'train-folder-note', class: 'tr-bad', role: 'alert' }, NOTHING));
  };
  for (const end of ['change', 'cancel']) document.addEventListener(end, tellNothing, true);

  // -- Gradio's own words ------------------------------------------------------------------------------
  // Sentences without a translation, and a label that is only a key, on a button that adds more files.
  const SAID = {
    'Connection to the server was lost. Attempting reconnection...': '与服务器的连接已断开，恢复后页面会自动重新载入…',
    'Connection Lost': '连接已断开',
    'Click to upload or drop files': '点击上传或拖入文件',
  };
  const NAMES = { 'common.upload': D.chinese ? '添加文件' : 'Add files' };
  if (D.chinese) Object.assign(NAMES, SAID);
  const putRight = () => {
    for (const node of document.querySelectorAll('button[aria-label], button[title]')) {
      for (const name of ['aria-label', 'title']) {
        const text = NAMES[node.getAttribute(name)];
        if (text) node.setAttribute(name, text);
      }
    }
    if (D.chinese) document.querySelectorAll('.toast-body *').forEach((node) => {
      const text = node.childElementCount ? '' : SAID[node.textContent.trim()];
      if (text) node.textContent = text;
    });
  };
  let asked = 0;
  const soon = () => { cancelAnimationFrame(asked); asked = requestAnimationFrame(putRight); };
  new MutationObserver(soon).observe(document.documentElement,
    { childList: true, subtree: true, attributes: true, attributeFilter: ['aria-label', 'title'] });

  // -- files from the visitor --------------------------------------------------------------------------------
  // A file as a data URL; '' where the browser cannot read it, as when it is a folder.
  const readFile = (file) => new Promise((done) => {
    const reader = new FileReader();
    reader.onloadend = () => done(reader.result ?? '');
    reader.readAsDataURL(file);
  });
  // A field to choose a file with, which is to be dropped there or, with `takesFiles`, anywhere around it.
  const fileZone = (id, label, accept, take) => {
    const chooser = h('input', { type: 'file', id: `${id}-file`, accept, class: 'im-hidden', 'aria-label': label });
    chooser.addEventListener('change', () => { const [file] = chooser.files; if (file) take(file); chooser.value = ''; });
    return h('label', { class: 'im-drop', id: `${id}-drop` }, label, chooser);
  };
  // `take(file)` gets what is dropped anywhere on `page`, which shows that it would be taken; but for what a field in it took.
  const takesFiles = (page, take) => {
    let inside = 0; // entered elements not yet left
    const has = (event) => event.dataTransfer.types.includes('Files'); // no keyframe, no text
    const count = (by) => { inside = Math.max(0, inside + by); page.classList.toggle('im-dropping', inside > 0); };
    page.addEventListener('dragenter', (event) => { if (has(event)) { event.preventDefault(); count(1); } });
    page.addEventListener('dragleave', (event) => { if (has(event)) count(-1); });
    page.addEventListener('dragover', (event) => { if (has(event)) event.preventDefault(); });
    page.addEventListener('drop', (event) => {
      if (!has(event)) return;
      count(-inside);
      if (event.defaultPrevented) return;
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) take(file);
    });
  };

  Object.assign(D, { address, revealSoon: reveal, ticket, jobBegins, jobEnds, steps, readSeed, numberBox, keepFor, kept, readFile, fileZone, takesFiles });
})();
