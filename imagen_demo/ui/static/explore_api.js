// The Explore tab, 7: the call that makes a program draw exactly this picture, in Python or for a shell.
const KINDS_OF_CALL = ['python', 'curl'];
let callKind = 'python', callOf = {};
const code = h('pre', { class: 'ex-code', id: 'explore-api-code', tabindex: '0', 'aria-label': T('x_api_as') });
const callViews = KINDS_OF_CALL.map((kind) => h('button', { type: 'button', class: 'ex-view', id: `explore-api-${kind}`,
  onclick: () => { callKind = kind; copyCall(); } }, kind === 'python' ? 'Python' : 'curl'));
const apiBox = h('div', { class: 'ex-api', id: 'explore-api', hidden: true },
  h('div', { class: 'ex-views' }, callViews, button('explore-api-close', T('c_close'), 'remove', () => showApi(false), { bare: true })), code);
const showApi = (on) => { apiBox.hidden = !on; strip.hidden = on; }; // in the strip's place
const copyCall = () => {
  code.textContent = callOf[callKind];
  callViews.forEach((each, index) => each.setAttribute('aria-pressed', KINDS_OF_CALL[index] === callKind));
  return clip(callOf[callKind], T('x_api_copied', { kind: callKind === 'python' ? 'Python' : 'curl' }), '');
};
const api = button('explore-api-call', T('x_api'), 'code', async () => {
  const of = JSON.stringify(recipe), answer = await D.ask(server.api_call, { recipe, base: location.origin + location.pathname });
  if (of !== JSON.stringify(recipe) || !told(answer)) return;
  callOf = answer;
  showApi(true);
  copyCall();
});
onPaint.push(() => showApi(false)); // it was for another picture
