// Lays plans out with ELK or dagre, each with its own defaults: a plan is a line of JSON, the positions are one.
// Usage: node layouts.cjs elk|dagre NODE_MODULES
const [engine, folder] = process.argv.slice(2);
const lines = require("node:readline").createInterface({ input: process.stdin });
const lay_out = engine === "elk" ? elk() : dagre();

function elk() {
  const ELK = require(`${folder}/elkjs/lib/elk.bundled.js`);
  const engine = new ELK();
  return async (plan) => {
    const root = { id: "root", children: [], edges: [], layoutOptions: { "elk.algorithm": "layered", "elk.direction": "DOWN", "elk.hierarchyHandling": "INCLUDE_CHILDREN" } };
    const at = { root };
    for (const [id, name] of Object.entries(plan.frames))
      at[id] = { id, children: [], labels: [{ text: name, width: 7.5 * name.length, height: 16 }], layoutOptions: { "elk.nodeLabels.placement": "INSIDE V_TOP H_LEFT" } };
    for (const [id, [width, height]] of Object.entries(plan.sizes)) at[id] = { id, width, height };
    for (const id of [...Object.keys(plan.frames), ...Object.keys(plan.sizes)]) at[plan.around[id] ?? "root"].children.push(at[id]);
    root.edges = plan.edges.map(([a, b], i) => ({ id: `e${i}`, sources: [a], targets: [b] }));
    const found = await engine.layout(root);
    const boxes = {}, frames = {}, offset = { root: [0, 0] };
    (function walk(node, x, y) {
      for (const child of node.children ?? []) {
        const [left, top] = [x + child.x, y + child.y];
        offset[child.id] = [left, top];
        (child.id in plan.frames ? frames : boxes)[child.id] = [left, top, left + child.width, top + child.height];
        walk(child, left, top);
      }
    })(found, 0, 0);
    const ways = found.edges.map((e) => {
      const [x, y] = offset[e.container ?? "root"];
      return [e.sources[0], e.targets[0], e.sections.flatMap((s) => [s.startPoint, ...(s.bendPoints ?? []), s.endPoint]).map((p) => [p.x + x, p.y + y])];
    });
    return { width: found.width, height: found.height, boxes, frames, lines: ways };
  };
}

function dagre() {
  const { Graph, graphlib, layout } = require(`${folder}/@dagrejs/dagre`);
  return async (plan) => {
    const graph = new (Graph ?? graphlib.Graph)({ compound: true, multigraph: true });
    graph.setGraph({});
    graph.setDefaultEdgeLabel(() => ({}));
    for (const id of Object.keys(plan.frames)) graph.setNode(id, {});
    for (const [id, [width, height]] of Object.entries(plan.sizes)) graph.setNode(id, { width, height });
    for (const [id, parent] of Object.entries(plan.around)) graph.setParent(id, parent);
    for (const [a, b] of plan.edges) graph.setEdge(a, b);
    layout(graph);
    const boxes = {}, frames = {};
    for (const id of graph.nodes()) {
      const { x, y, width, height } = graph.node(id);
      (id in plan.frames ? frames : boxes)[id] = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
    }
    const ways = graph.edges().map((e) => [e.v, e.w, graph.edge(e).points.map((p) => [p.x, p.y])]);
    const { width, height } = graph.graph();
    return { width, height, boxes, frames, lines: ways };
  };
}

(async () => {
  for await (const line of lines) {
    try {
      console.log(JSON.stringify(await lay_out(JSON.parse(line))));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  }
})();
