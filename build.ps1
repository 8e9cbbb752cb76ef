#!/usr/bin/env pwsh
# The targets are those of eng/build.proj; eng/Build then runs what the target has built. build.sh is the same for bash.
Set-Location $PSScriptRoot
$targets = 'build', 'test', 'format', 'demo', 'bench', 'soak', 'publish'
$target = "$($args[0])"
if ($target -cnotin $targets) {
  [Console]::Error.WriteLine([IO.File]::ReadAllText("$PSScriptRoot/eng/usage.txt").TrimEnd())
  exit 2
}
# PowerShell takes one,two without quotes for two values.
$rest = @($args | Select-Object -Skip 1 | ForEach-Object { $_ -join ',' })
$found = Get-Command dotnet -ErrorAction SilentlyContinue
if ($found) { & dotnet --version > $null 2>&1 }
if (-not $found -or $LASTEXITCODE -ne 0) {
  [Console]::Error.WriteLine("The .NET 10 SDK is missing: get it from https://dotnet.microsoft.com/download/dotnet/10.0, put 'dotnet' on the PATH and run this again.")
  exit 1
}
$env:DOTNET_NOLOGO = '1'; $env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
'Building …'
& dotnet msbuild eng/build.proj "-t:$target" '-nologo' '-v:quiet' '-tl:auto' '-m' '-nodeReuse:false'
if ($LASTEXITCODE -ne 0) {
  if ($target -eq 'test') { 'The build failed: no test was run.'; '0 passed, 1 failed' }
  exit 1
}
& dotnet eng/Build/bin/Release/net10.0/Build.dll $target @rest
exit $LASTEXITCODE
