#!/usr/bin/env bash
# The targets are those of eng/build.proj; eng/House then runs what the target has built. build.ps1 is the same for PowerShell.
set -euo pipefail
caller="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")"
targets="build test demo bench soak publish"
target="${1:-}"
if [[ -z "$target" || " $targets " != *" $target "* ]]; then
  cat eng/usage.txt >&2
  exit 2
fi
shift
# MSBuild reads these two from the environment, see eng/Akka.props; whatever they held before is none of it.
export AkkaRequired=false AkkaFeed=""
engines="embedded|akka"
if [[ "$target" == bench ]]; then engines="($engines)(,($engines))*"; fi
rest=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --engine)
      if [[ ! "${2:-}" =~ ^($engines)$ ]]; then
        echo "--engine takes embedded or akka (bench also both, as akka,embedded), not '${2:-}'." >&2
        exit 2
      fi
      if [[ "$2" == *akka* ]]; then AkkaRequired=true; fi
      rest+=("$1" "$2")
      shift 2
      ;;
    --feed)
      if ! AkkaFeed="$(cd "$caller" && cd -- "${2:-/dev/null}" 2>/dev/null && pwd)"; then
        echo "--feed takes a folder that is there, not '${2:-}'." >&2
        exit 2
      fi
      shift 2
      ;;
    *)
      rest+=("$1")
      shift
      ;;
  esac
done
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
exec dotnet eng/House/bin/Release/net10.0/House.dll "$target" ${rest[@]+"${rest[@]}"}
