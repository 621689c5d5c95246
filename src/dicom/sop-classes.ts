/** SOP classes of what we write (PS3.6 annex A). */
export const comprehensive3dSrStorage = '1.2.840.10008.5.1.4.1.1.88.34';
export const secondaryCaptureImageStorage = '1.2.840.10008.5.1.4.1.1.7';
export const keyObjectSelectionStorage = '1.2.840.10008.5.1.4.1.1.88.59';
