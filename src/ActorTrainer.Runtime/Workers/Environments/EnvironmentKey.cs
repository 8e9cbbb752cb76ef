using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>Tells which environments are the same: what goes into one, as a hash.</summary>
internal static partial class EnvironmentKey
{
    /// <summary>The hash, 64 lower-case hexadecimal digits.</summary>
    /// <param name="spec">The task, which has an environment to be made.</param>
    /// <param name="interpreter">Path and version of the Python that is used; empty: there is none.</param>
    /// <param name="requirements">The content of the requirements; null: none.</param>
    public static string Compute(TaskSpec spec, string interpreter, string? requirements)
    {
        EnvironmentSpec wanted = spec.NodeEnvironment!;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add("actortrainer-environment 1");
        Add(interpreter);
        Add(wanted.Venv ?? "");
        Add(requirements is null ? "" : $"requirements {requirements}");
        Add(wanted.Setup ?? "");
        if (ReadsFiles(spec, requirements))
        {
            Add(spec.Bundle?.Hash ?? "");
            Add(spec.WorkingDirectory ?? "");
            foreach ((string name, string target) in spec.Links.OrderBy(link => link.Key, StringComparer.Ordinal))
            {
                Add(name);
                Add(target);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            hash.AppendData([0]);
        }
    }

    /// <summary>
    /// Whether making it reads files of the working directory besides the requirements themselves: then it is another one for each bundle.
    /// A setup may always.
    /// </summary>
    public static bool ReadsFiles(TaskSpec spec, string? requirements) =>
        spec.NodeEnvironment?.Setup is not null || (requirements is not null && requirements.Split('\n').Any(NamesPath));

    /// <summary>Options that name a file, and whatever looks like a path and is no address.</summary>
    private static bool NamesPath(string line)
    {
        string text = Comment().Replace(line, "").Trim();
        return FileOption().IsMatch(text)
            || text.StartsWith('.')
            || text.Contains("file:", StringComparison.Ordinal)
            || Address().Replace(text, "").Contains('/', StringComparison.Ordinal);
    }

    [GeneratedRegex(@"(^|\s)#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex("^(-r|-c|-e|-f|--requirement|--constraint|--editable|--find-links)")]
    private static partial Regex FileOption();

    [GeneratedRegex(@"[A-Za-z+.-]+://\S*")]
    private static partial Regex Address();
}
