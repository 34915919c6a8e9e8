// The table of routes (fcgi/routes.def), for what is made from it.
import { readFileSync } from 'node:fs';

const FILE = new URL('../../../fcgi/routes.def', import.meta.url);
const LINE = /^X\((\w+), (\w+), "([^"]+)", (\w+), (\w+), (\w+), (\w+), (\w+)\)/gm;

// {name, method, path, scope, role, body, program}, in the order of the file. What a change of the
// table's form would hide is an error.
export function readRoutes() {
  const text = readFileSync(FILE, 'utf8');
  const found = [...text.matchAll(LINE)].map(([, name, method, path, , scope, role, body, program]) => ({
    name,
    method,
    path,
    scope,
    role,
    body,
    program,
  }));
  const lines = text.split('\n').filter((line) => line.startsWith('X('));
  if (found.length === 0 || found.length !== lines.length)
    throw new Error(`routes.def: ${lines.length} routes, of which ${found.length} are understood`);
  return found;
}

export const routeKey = ({ method, path }) => `${method} ${path}`;
export const apiRoutes = () => readRoutes().filter(({ path }) => path.startsWith('/v1/'));
