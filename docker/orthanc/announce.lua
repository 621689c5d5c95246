-- Tells the gateway of every study that became stable (no new instance for StableAge seconds).
--
-- Load it with "LuaScripts" and name the gateway in the same configuration (see orthanc.json):
--   "CxrGateway": { "Url": "http://gateway:8088", "Token": "..." }
--
-- A gateway that does not answer is not called again: what it misses here, its own poll of the archive finds.
-- Our own results make a study stable once more; the gateway finds nothing new then.

function OnStableStudy(studyId, tags, metadata)
  local settings = GetOrthancConfiguration()['CxrGateway']
  local uid = tags['StudyInstanceUID']

  if settings == nil or settings['Url'] == nil then
    PrintRecursive('CxrGateway.Url is missing in the configuration: no study is announced')
    return
  end

  -- A UID is digits and dots (PS3.5 9.1); nothing else may be written into the JSON below.
  if uid == nil or #uid > 64 or string.match(uid, '^[0-9.]+$') == nil then
    return
  end

  local url = string.gsub(settings['Url'], '/+$', '') .. '/api/v1/studies'
  local headers = { ['content-type'] = 'application/json' }
  if settings['Token'] ~= nil and settings['Token'] ~= '' then
    headers['authorization'] = 'Bearer ' .. settings['Token']
  end
  HttpPost(url, '{"studyInstanceUid":"' .. uid .. '"}', headers)
end
