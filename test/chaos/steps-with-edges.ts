import { createSteps as create, type World } from '../../src/steps/index.ts';
import { withEdges } from './edge.ts';

export * from '../../src/steps/index.ts';

/** The steps with an edge before and after each; fetch, read and compose lie in the ports. */
export function createSteps(world: World): ReturnType<typeof create> {
  const only = (wanted: string) => (method: string) => (method === wanted ? wanted : null);
  const ports: World = {
    ...world,
    archive: withEdges(world.archive, only('fetch')),
    reader: withEdges(world.reader, only('read')),
    outputs: world.outputs.map((output) => withEdges(output, only('compose'))),
    destinations: world.destinations.map((destination) =>
      withEdges(destination, (method) => (method === 'deliver' ? `destination ${destination.name}` : null)),
    ),
  };
  // The step `read` of the spine fetches and reads each film: its edges are those of the ports.
  return withEdges(create(ports), (method) => (method === 'read' ? null : method));
}
