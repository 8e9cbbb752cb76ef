#!/usr/bin/env bash
# The targets are those of eng/build.proj; eng/Build then runs what the target has built. build.ps1 is the same for PowerShell.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
targets="build test format demo bench soak publish"
target="${1:-}"
if [[ -z "$target" || " $targets " != *" $target "* ]]; then
  cat eng/usage.txt >&2
  exit 2
fi
shift
if ! dotnet --version >/dev/null 2>&1; then
  echo "The .NET 10 SDK is missing: get it from https://dotnet.microsoft.com/download/dotnet/10.0, put 'dotnet' on the PATH and run this again." >&2
  exit 1
fi
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
echo "Building …"
if ! dotnet msbuild eng/build.proj "-t:$target" -nologo -v:quiet -tl:auto -m -nodeReuse:false; then
  if [[ "$target" == test ]]; then echo "The build failed: no test was run."; echo "0 passed, 1 failed"; fi
  exit 1
fi
exec dotnet eng/Build/bin/Release/net10.0/Build.dll "$target" "$@"
