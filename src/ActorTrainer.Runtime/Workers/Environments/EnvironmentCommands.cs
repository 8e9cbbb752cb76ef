using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>What is run to make an environment, and what the processes of a run get of it.</summary>
internal static class EnvironmentCommands
{
    /// <summary>Names the folder that is kept.</summary>
    public const string Variable = "ACTORTRAINER_ENVIRONMENT";

    private const string Mark = "--- environment: ";
    private const string DefaultPath = "/usr/local/bin:/usr/bin:/bin";

    /// <summary>
    /// Prints what a Python is, in one line behind a mark, since whatever it imports by itself may print, too; fails where it is to make
    /// virtual environments and cannot.
    /// </summary>
    private const string ProbeCode = """
        import os, sys
        if "venv" in sys.argv: import venv, ensurepip
        print("interpreter", os.path.realpath(sys.executable), sys.version.replace("\n", " "))
        """;

    /// <summary>
    /// Each step is named before its output, and by which one it failed after it. The files are written to the disk before the environment
    /// counts as made: a mark that survives a power cut must not vouch for files that do not.
    /// </summary>
    private const string Script = """
        python=$1 requirements=$2 setup=$3 label=$4
        step() {
          name=$1; shift
          printf -- '--- environment: %s ---\n' "$name"
          "$@" && return
          code=$?
          printf -- '--- environment: %s failed with exit code %s ---\n' "$name" "$code"
          exit "$code"
        }
        if [ -n "$requirements" ]; then
          step "python3 -m venv" "$python" -m venv "$ACTORTRAINER_ENVIRONMENT"
          step "pip install -r $label" "$ACTORTRAINER_ENVIRONMENT/bin/python" -m pip install \
            --no-input --disable-pip-version-check -r "$requirements"
        fi
        if [ -n "$setup" ]; then
          step setup /bin/sh -c "$setup"
        fi
        sync -f "$ACTORTRAINER_ENVIRONMENT" 2>/dev/null || sync
        printf -- '--- environment: made ---\n'
        """;

    /// <summary>The arguments that ask a Python what it is.</summary>
    public static IReadOnlyList<string> Probe(string python, bool makesVenv) =>
        [python, "-c", ProbeCode, .. makesVenv ? ["venv"] : (string[])[]];

    /// <summary>What a Python said of itself; null: nothing.</summary>
    public static string? ReadProbe(IReadOnlyList<string> lines) =>
        lines.LastOrDefault(line => line.StartsWith("interpreter ", StringComparison.Ordinal));

    /// <summary>Why a Python is of no use.</summary>
    public static string ProbeFailure(string python, bool makesVenv, IReadOnlyList<string> lines)
    {
        string last = lines.LastOrDefault(line => line.Trim().Length > 0) ?? "it said nothing";
        return makesVenv
            ? $"'{python}' on this node makes no virtual environments ({last.Trim()}): install its venv module "
                + "(apt-get install python3-venv), or change the task's PATH."
            : $"'{python}' on this node does not run ({last.Trim()}): install it anew, or change the task.";
    }

    /// <summary>The arguments that make an environment.</summary>
    /// <param name="spec">What is wanted.</param>
    /// <param name="python">The Python that makes the virtual environment.</param>
    /// <param name="requirements">The path of the requirements; null: none.</param>
    public static IReadOnlyList<string> Make(EnvironmentSpec spec, string python, string? requirements) =>
        ["/bin/sh", "-c", Script, "environment", python, requirements ?? "", spec.Setup ?? "", spec.Requirements ?? ""];

    /// <summary>What is made, in one line.</summary>
    public static string Describe(EnvironmentSpec spec)
    {
        string? requirements = spec.Requirements is { } file ? $"pip install -r {file}" : null;
        string? setup = spec.Setup?.Trim().Split('\n')[0].TrimEnd();
        return requirements is null ? setup ?? ""
            : setup is null ? requirements
            : $"{requirements}; {setup}";
    }

    /// <summary>Why it could not be made, from the last lines of what was to make it.</summary>
    public static string Failure(int? exitCode, int? signal, IReadOnlyList<string> lines)
    {
        string how =
            lines.LastOrDefault(line =>
                line.StartsWith(Mark, StringComparison.Ordinal) && line.Contains(" failed with ", StringComparison.Ordinal)
            )
                is { } marked
                ? marked[Mark.Length..].TrimEnd('-', ' ')
            : signal is not null ? FormattableString.Invariant($"it was ended by signal {signal}")
            : FormattableString.Invariant($"it ended with exit code {exitCode}");
        string? last = lines.LastOrDefault(line => line.Trim().Length > 0 && !line.StartsWith(Mark, StringComparison.Ordinal));
        return $"the environment could not be made: {how}{(last is null ? "" : $": {last.Trim()}")}";
    }

    /// <summary>Puts an environment before what a process has otherwise.</summary>
    /// <param name="variables">The process's.</param>
    /// <param name="spec">What is wanted.</param>
    /// <param name="kept">The folder that is kept; null: nothing was made.</param>
    public static void Apply(SortedDictionary<string, string> variables, EnvironmentSpec spec, string? kept)
    {
        if (spec.Venv is { } venv)
        {
            Enter(variables, venv);
        }

        if (kept is null)
        {
            return;
        }

        variables[Variable] = kept;
        if (spec.Requirements is not null || File.Exists(Path.Combine(kept, "pyvenv.cfg")))
        {
            Enter(variables, kept);
        }
        else
        {
            PutFirst(variables, kept);
        }
    }

    private static void Enter(SortedDictionary<string, string> variables, string venv)
    {
        variables["VIRTUAL_ENV"] = venv;
        _ = variables.Remove("PYTHONHOME");
        PutFirst(variables, venv);
    }

    private static void PutFirst(SortedDictionary<string, string> variables, string folder) =>
        variables["PATH"] = $"{Path.Combine(folder, "bin")}:{variables.GetValueOrDefault("PATH", DefaultPath)}";
}
