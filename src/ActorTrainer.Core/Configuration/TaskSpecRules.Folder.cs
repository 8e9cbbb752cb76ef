using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>What a run's own working directory may hold: bundle, links, state.</content>
public static partial class TaskSpecRules
{
    /// <summary>Most links, and most patterns of state, of a task.</summary>
    private const int MaxPaths = 1000;

    internal static readonly Bounds<long> BundleBytes = new(0, BundleSpec.MaxBytes);
    internal static readonly Bounds<int> BundleFiles = new(1, BundleSpec.MaxFiles);

    /// <summary>What is wrong with the working directory, as a sentence without its full stop; null: nothing.</summary>
    internal static string? Folder(TaskSpec spec) =>
        OwnFolder(
            spec.Command is not null,
            spec.WorkingDirectory is not null,
            spec.Bundle is not null,
            spec.Links.Count > 0,
            spec.State.Count > 0
        )
        ?? Bundle(spec.Bundle)
        ?? (
            spec.Links.Count > MaxPaths || spec.State.Count > MaxPaths ? $"there are more than {MaxPaths} links or patterns of state" : null
        )
        ?? spec.Links.Select(link => LinkProblem(link.Key, link.Value) is { } problem ? $"links: '{link.Key}' {problem}" : null)
            .FirstOrDefault(problem => problem is not null)
        ?? Nested(spec.Links.Keys)
        ?? spec.State.Select(pattern => StateProblem(pattern) is { } problem ? $"state: '{pattern}' {problem}" : null)
            .FirstOrDefault(problem => problem is not null)
        ?? BehindLink(spec.State, spec.Links.Keys);

    /// <summary>Whether what a task wants in its working directory goes together with where that is.</summary>
    internal static string? OwnFolder(bool isCommand, bool namesFolder, bool bundle, bool links, bool state)
    {
        string? key =
            bundle ? "bundle"
            : links ? "links"
            : state ? "state"
            : null;
        return key is null ? null
            : !isCommand ? $"{key} is of commands; a trainer's assembly and data are found by their paths"
            : namesFolder
                ? $"{key} needs a working directory of the run's own, and working-directory names another one; remove one of the two"
            : null;
    }

    /// <summary>What is wrong with a link, as the end of a sentence that begins with its name.</summary>
    internal static string? LinkProblem(string name, string? target) =>
        PathProblem(name)
        ?? (
            target is not { Length: > 1 } || target[0] != '/' || target.Contains('\0', StringComparison.Ordinal)
                ? $"leads to '{target}', which is not a full path; write \"{name}=/full/path\""
                : null
        );

    /// <summary>What is wrong with a pattern of state, as the end of a sentence that begins with it.</summary>
    internal static string? StateProblem(string? pattern) =>
        pattern is null ? "is null"
        : pattern is "." or "./"
            ? "is the whole working directory; name the files or folders in it that the script saves, such as 'checkpoints' or '*.pt'"
        : PathProblem(pattern);

    private static string? PathProblem(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            return "is not a path; write one, relative to the working directory";
        }

        if (path[0] == '/')
        {
            return "is a full path; write it relative to the working directory";
        }

        string[] segments = path.Split('/');
        return segments.Contains("..") ? "leads out of the working directory; write a path without '..'"
            : segments[^1].Length == 0 ? "ends with a slash; write it without"
            : segments.Any(segment => segment is "" or ".") ? "has an empty segment or one that is a dot; write it without"
            : null;
    }

    private static string? Nested(IEnumerable<string> links)
    {
        string[] names = [.. links.Order(StringComparer.Ordinal)];
        return names
            .Select(name =>
                names.FirstOrDefault(outer => name.StartsWith(outer + "/", StringComparison.Ordinal)) is { } outer
                    ? $"links: '{name}' would stand behind the link '{outer}'; keep one of them"
                    : null
            )
            .FirstOrDefault(problem => problem is not null);
    }

    /// <summary>
    /// A link leads to files that all runs share, which are no checkpoint's. A pattern whose own segments do not name the link, such as
    /// <c>*</c>, stands for what lies beside it.
    /// </summary>
    private static string? BehindLink(IEnumerable<string> state, IEnumerable<string> links)
    {
        string[] names = [.. links];
        return state
            .Select(pattern =>
                names.FirstOrDefault(name => pattern == name || pattern.StartsWith(name + "/", StringComparison.Ordinal)) is { } link
                    ? $"state: '{pattern}' {(pattern == link ? "is a link" : $"lies behind the link '{link}'")}, "
                        + "and what is there is never in a checkpoint; let the script save "
                        + "in a folder that is no link, such as 'checkpoints', and name that one"
                    : null
            )
            .FirstOrDefault(problem => problem is not null);
    }

    private static string? Bundle(BundleSpec? bundle) =>
        bundle is null ? null
        : !BundleSpec.IsHash(bundle.Hash) ? $"bundle.hash is '{bundle.Hash}'; it must be 64 lower-case hexadecimal digits"
        : Out("bundle.bytes", bundle.Bytes, BundleBytes) ?? Out("bundle.files", bundle.Files, BundleFiles);
}
