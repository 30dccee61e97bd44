// Land without borders, for the map: Natural Earth's 1:50m (public domain, by world-atlas), simplified. Run by build.py.
// One unit is a tenth of a degree; 30 degrees west, in the Atlantic, is the left edge (rilon/web/charts.py draws on it).
import { readFileSync, writeFileSync } from "node:fs";
import { geoEquirectangular, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

const WIDTH = 3600, HEIGHT = 1400, NORTH = 80, LEAST = 0.04; // LEAST: square degrees that a bend must span
const atlas = JSON.parse(readFileSync("node_modules/world-atlas/land-50m.json", "utf8"));
const simple = simplify(presimplify(atlas), LEAST);
const onto = geoEquirectangular().rotate([-150, 0]).scale(1800 / Math.PI).translate([WIDTH / 2, 10 * NORTH]).precision(0)
  .clipExtent([[0, 0], [WIDTH, HEIGHT]]);

let path = "", at = [0, 0], fresh = false;
const step = (x, y) => { // whole units, relative: half the bytes
  const next = [Math.round(x), Math.round(y)], by = [next[0] - at[0], next[1] - at[1]];
  if (!fresh && !by[0] && !by[1]) return;
  path += `${fresh ? "m" : "l"}${by[0]}${by[1] < 0 ? "" : " "}${by[1]}`;
  [at, fresh] = [next, false];
};
let start;
geoPath(onto, {
  beginPath() {}, arc() {},
  moveTo(x, y) { fresh = true; step(x, y); start = at; },
  lineTo(x, y) { step(x, y); },
  closePath() { path += "z"; at = start; },
})(feature(simple, simple.objects.land));

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}"><path fill="#7a8f99" fill-opacity=".42" d="${path.replaceAll("l", " ").trim()}"/></svg>\n`;
writeFileSync(process.argv[2], svg);
