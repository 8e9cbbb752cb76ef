#!/usr/bin/env pwsh
# The targets are those of eng/build.proj; eng/House then runs what the target has built. build.sh is the same for bash.
$caller = (Get-Location).ProviderPath
Set-Location $PSScriptRoot
$targets = 'build', 'test', 'demo', 'bench', 'soak', 'publish'
$target = "$($args[0])"
if ($target -cnotin $targets) {
  [Console]::Error.WriteLine([IO.File]::ReadAllText("$PSScriptRoot/eng/usage.txt").TrimEnd())
  exit 2
}
# MSBuild reads these two from the environment, see eng/Akka.props; whatever they held before is none of it.
$env:AkkaRequired = 'false'; $env:AkkaFeed = ''
$engines = 'embedded|akka'
if ($target -ceq 'bench') { $engines = "($engines)(,($engines))*" }
$rest = @()
for ($i = 1; $i -lt $args.Count; $i++) {
  # PowerShell takes akka,embedded without quotes for two values.
  $value = if ($i + 1 -lt $args.Count) { $args[$i + 1] -join ',' } else { '' }
  if ("$($args[$i])" -ceq '--engine') {
    if ($value -cnotmatch "^($engines)$") {
      [Console]::Error.WriteLine("--engine takes embedded or akka (bench also both, as akka,embedded), not '$value'.")
      exit 2
    }
    if ($value.Contains('akka')) { $env:AkkaRequired = 'true' }
    $rest += '--engine', $value
    $i++
  } elseif ("$($args[$i])" -ceq '--feed') {
    $folder = [IO.Path]::Combine($caller, $value)
    if ($value -eq '' -or -not [IO.Directory]::Exists($folder)) {
      [Console]::Error.WriteLine("--feed takes a folder that is there, not '$value'.")
      exit 2
    }
    $env:AkkaFeed = [IO.Path]::GetFullPath($folder)
    $i++
  } else {
    $rest += $args[$i] -join ','
  }
}
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
& dotnet eng/House/bin/Release/net10.0/House.dll $target @rest
exit $LASTEXITCODE
