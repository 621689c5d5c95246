import type { ResultIdentity } from '../core/ids.ts';
import type { GatewayIdentity } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import { resultIdentifier, uidIdentifier } from './references.ts';
import type { CodeableConcept, Device } from './types.ts';

/** The two devices behind a result: this software, and the model that it ran (DICOM SR IG: algorithm Device, parent equipment). */

export function gatewayDevice(gateway: GatewayIdentity, identity: ResultIdentity): Device {
  return {
    resourceType: 'Device',
    id: identity.gatewayDeviceId,
    identifier: [uidIdentifier(identity.gatewayDeviceUid), resultIdentifier(identity.gatewayDeviceId)],
    status: 'active',
    manufacturer: gateway.manufacturer,
    deviceName: [{ name: gateway.modelName, type: 'user-friendly-name' }],
    type: { text: 'Software that runs a model and writes its results' },
    version: [{ value: gateway.softwareVersion }],
  };
}

export function modelDevice({ model, settings }: Reading, identity: ResultIdentity): Device {
  const properties: readonly (readonly [string, string])[] = [
    ['SHA-256 of the weights', model.sha256],
    ['Precision', model.precision],
    ['Operating point', String(settings.operatingPoint)],
    ['Preprocessing', model.preprocessing],
    ['Training status', model.training],
  ];
  const text = (value: string): CodeableConcept => ({ text: value });
  return {
    resourceType: 'Device',
    id: identity.modelDeviceId,
    identifier: [uidIdentifier(model.deviceUid), resultIdentifier(identity.modelDeviceId)],
    status: 'active',
    manufacturer: model.manufacturer,
    deviceName: [{ name: model.name, type: 'model-name' }],
    type: text('AI model'),
    version: [{ value: model.version }],
    property: properties.map(([type, value]) => ({ type: text(type), valueCode: [text(value)] })),
    note: [{ text: model.intendedUse }],
    parent: { reference: `Device/${identity.gatewayDeviceId}` },
  };
}
