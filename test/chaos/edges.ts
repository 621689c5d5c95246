import { registerHooks } from 'node:module';

/**
 * Loaded into a real `serve` by `--import`: everything that the gateway gets from its steps and its store goes through an edge,
 * before and after. Nothing in `src/` knows of it. `CHAOS_KILL=after record#3` kills the process (SIGKILL) at the third pass of an edge.
 */

const here = (path: string): string => new URL(path, import.meta.url).href;

/** Module of the gateway → the one that stands in its place and wraps it. */
const wrapped: Readonly<Record<string, string>> = {
  [here('../../src/steps/index.ts')]: here('./steps-with-edges.ts'),
  [here('../../src/jobs/index.ts')]: here('./jobs-with-edges.ts'),
};

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const stand = wrapped[resolved.url];
    return stand === undefined || context.parentURL === stand ? resolved : { ...resolved, url: stand };
  },
});
