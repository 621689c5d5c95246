import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { DicomMessage, DicomMetaDictionary } from '../../src/dicom/dcmjs.ts';

/**
 * The SR loader of the OHIF viewer, as published on npm: its SOP class handler makes a display set of a report, and the
 * display set's `load` reads image library and measurement groups and draws an annotation for each on its image. That
 * code runs unchanged. What surrounds it in the viewer (services, data source, rendering) is answered by stand-ins.
 */

const script = join(import.meta.dirname, '.cache/ohif-sr/package/dist/ohif-extension-cornerstone-dicom-sr.umd.js');

/** Why the loader cannot be run here, or null. */
export function whyNoOhif(): string | null {
  return existsSync(script) ? null : 'the OHIF extension is not here: test/services/install.sh';
}

export interface Measurement {
  readonly TrackingUniqueIdentifier: string;
  readonly TrackingIdentifier: string;
  readonly labels: readonly { readonly label: string; readonly value: string }[];
  readonly graphicType?: string;
  readonly loaded: boolean;
  readonly ReferencedSOPInstanceUID?: string;
}

export interface Annotation {
  readonly annotationUID: string;
  readonly metadata: { readonly referencedImageId: string };
  readonly data: { readonly handles: { readonly points: readonly (readonly number[])[] } };
}

export interface Loaded {
  readonly isImagingMeasurementReport: boolean;
  readonly label: string;
  readonly referencedImages: readonly { readonly ReferencedSOPInstanceUID: string }[];
  readonly measurements: readonly Measurement[];
  /** What the viewer would draw. */
  readonly annotations: readonly Annotation[];
}

/** Opens a report in the viewer beside a display set of the images. Raises what the loader raises. */
export async function openInOhif(file: Uint8Array, imageUids: readonly string[]): Promise<Loaded> {
  const annotations: Annotation[] = [];
  const extension = loadExtension((annotation) => annotations.push(annotation));
  const [handler] = extension
    .getSopClassHandlerModule(viewerWith(imageUids))
    .filter(({ sopClassUids }) => sopClassUids.includes(comprehensive3dSr));
  const [displaySet] = handler!.getDisplaySetsFromSeries([naturalize(file)]);
  await displaySet!.load();
  return { ...displaySet!, annotations };
}

const comprehensive3dSr = '1.2.840.10008.5.1.4.1.1.88.34';

interface Extension {
  getSopClassHandlerModule(viewer: object): readonly {
    readonly sopClassUids: readonly string[];
    getDisplaySetsFromSeries(
      instances: readonly object[],
    ): readonly (Omit<Loaded, 'annotations'> & { load(): Promise<void> })[];
  }[];
}

/** As the viewer gets it from its data source: keywords, and sequences that answer for their first item. */
function naturalize(file: Uint8Array): object {
  const { dict } = DicomMessage.readFile(file.slice().buffer);
  return DicomMetaDictionary.naturalizeDataset(dict);
}

function viewerWith(imageUids: readonly string[]): object {
  const imageDisplaySet = {
    displaySetInstanceUID: 'images',
    images: imageUids.map((SOPInstanceUID) => ({ SOPInstanceUID })),
  };
  const dataSource = { getImageIdsForDisplaySet: () => imageUids.map((uid) => `image:${uid}`) };
  return {
    servicesManager: {
      services: {
        displaySetService: { activeDisplaySets: [imageDisplaySet], EVENTS: {}, subscribe: () => {} },
        measurementService: { getSourceMappings: () => [] },
        customizationService: { getCustomization: () => undefined },
      },
    },
    extensionManager: { getDataSources: () => [dataSource] },
  };
}

function loadExtension(draw: (annotation: Annotation) => void): Extension {
  const modules = standIns(draw);
  const require = (name: string): unknown => {
    if (!Object.hasOwn(modules, name)) throw new Error(`no stand-in for ${name}`);
    return modules[name];
  };
  const module = { exports: {} as { default?: Extension } };
  const run = compileFunction(readFileSync(script, 'utf8'), ['module', 'exports', 'require', 'console'], {
    filename: script,
  });
  run(module, module.exports, require, quiet);
  return module.exports.default!;
}

/** The loader tells its console what it cannot turn into an editable measurement. */
const quiet = { log: () => {}, warn: () => {}, error: () => {} };

/** Of each package what the loader touches, or the module needs when it is loaded. */
function standIns(draw: (annotation: Annotation) => void): Readonly<Record<string, unknown>> {
  const none = () => undefined;
  const sopClassDictionary = {
    BasicTextSR: '1.2.840.10008.5.1.4.1.1.88.11',
    EnhancedSR: '1.2.840.10008.5.1.4.1.1.88.22',
    ComprehensiveSR: '1.2.840.10008.5.1.4.1.1.88.33',
    Comprehensive3DSR: comprehensive3dSr,
  };
  const uidsOfImage = (imageId: string) => ({ SOPInstanceUID: imageId.slice('image:'.length), frameNumber: undefined });
  return {
    '@ohif/core': {
      utils: {
        sopClassDictionary,
        sortStudyInstances: none,
        sortDisplaySetsCopy: (sets: unknown) => sets,
        guid: () => 'report',
      },
      classes: { MetadataProvider: { getUIDsFromImageID: uidsOfImage }, ImageSet: class {} },
      log: quiet,
    },
    '@cornerstonejs/adapters': {
      adaptersSR: {
        Cornerstone3D: {
          MeasurementReport: { getAdapterForTrackingIdentifier: none, getAdaptersForTypes: none },
          TEXT_ANNOTATION_POSITION: { schemeDesignator: 'CORNERSTONEJS', value: 'TextAnnotationPosition' },
          COMMENT_CODE: { schemeDesignator: 'DCM', value: '121106' },
          CodeScheme: {
            CodingSchemeDesignator: 'CORNERSTONEJS',
            codeValues: { CORNERSTONEFREETEXT: 'CORNERSTONEFREETEXT' },
          },
        },
      },
    },
    '@cornerstonejs/core': {
      utilities: { imageToWorldCoords: (_imageId: string, [column, row]: [number, number]) => [column, row, 0] },
      metaData: { get: none },
    },
    '@cornerstonejs/tools': { AnnotationTool: class {}, annotation: { state: { addAnnotation: draw } } },
    '@ohif/extension-cornerstone': { Enums: {} },
    '@ohif/i18n': { t: (text: string) => text },
    '@ohif/ui-next': {},
    '@ohif/core/src/contextProviders/SystemProvider': {},
    'gl-matrix': {},
  };
}
