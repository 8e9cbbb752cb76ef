using System.CommandLine;
using System.Text.Json;
using ActorTrainer.Cli.Hosting;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Options of <c>run</c> and <c>submit</c> that say what a command finds in a working directory of its own.</summary>
internal sealed class BundleOptions
{
    private const string BundleName = "--bundle";
    private const string LimitName = "--bundle-limit";
    private const string LinkName = "--link";
    private const string StateName = "--state";

    public Option<string?> Bundle { get; } =
        new(BundleName)
        {
            Description = "A folder whose files travel with the task; each run has a copy of them as its working directory.",
            HelpName = "DIR",
        };

    public Option<string?> Limit { get; } =
        new(LimitName) { Description = "How large the bundle may be. [default: 64 MiB]", HelpName = "SIZE" };

    public Option<string[]> Links { get; } =
        new(LinkName)
        {
            Description = "A symbolic link in the bundle's place, to the entry of that name here or to a full path; may be repeated.",
            HelpName = "NAME[=PATH]",
        };

    public Option<string[]> State { get; } =
        new(StateName)
        {
            Description =
                "A pattern of paths in the working directory that are the task's state; may be repeated. Without --bundle "
                + "the current folder is bundled.",
            HelpName = "PATTERN",
        };

    public void AddTo(Command command)
    {
        command.Add(Bundle);
        command.Add(Limit);
        command.Add(Links);
        command.Add(State);
    }

    /// <summary>The same as keys over those of a task file.</summary>
    /// <param name="call">The command line.</param>
    /// <param name="bundled">Whether the task has a bundle without them.</param>
    public IReadOnlyList<Flag> Flags(Invocation call, bool bundled)
    {
        List<Flag> flags = [];
        string[] links = LinksOf(call);
        string[] state = StateOf(call);
        string? folder = call.Value(Bundle) ?? (!bundled && links.Length + state.Length > 0 ? call.Cli.WorkingDirectory : null);
        Add("bundle", folder, BundleName);
        Add("bundle-limit", call.Value(Limit), LimitName);
        Add("links", List(links), LinkName);
        Add("state", List(state), StateName);
        return flags;

        void Add(string key, string? value, string option)
        {
            if (value is not null)
            {
                flags.Add(new Flag(key, value, option));
            }
        }
    }

    /// <summary>Whether a task without a file has a bundle.</summary>
    public bool Bundles(Invocation call) => call.Value(Bundle) is not null || StateOf(call).Length + LinksOf(call).Length > 0;

    /// <summary>Puts them into a task that has no file.</summary>
    /// <exception cref="UsageException">One of them is wrong.</exception>
    public TaskDraft Complete(Invocation call, TaskSpec spec)
    {
        string here = call.Cli.WorkingDirectory;
        string[] state = StateOf(call);
        string[] links = LinksOf(call);
        if (!TaskSpecReader.TryReadBundleLimit(call.Value(Limit), out long limit, out string problem))
        {
            throw new UsageException($"{LimitName}: '{call.Value(Limit)}': {problem}");
        }

        if ((call.Value(Bundle) ?? (state.Length + links.Length > 0 ? here : null)) is not { } given)
        {
            return call.Value(Limit) is null ? new TaskDraft(spec, null) : throw new UsageException($"{LimitName} goes with {BundleName}");
        }

        string folder = Path.GetFullPath(given, here);
        Dictionary<string, string> targets = new(StringComparer.Ordinal);
        foreach (string text in links)
        {
            (string name, string target) = TaskSpecReader.ReadLink(text, entry => Path.Combine(folder, entry), out problem);
            targets[name] = problem.Length == 0 ? target : throw new UsageException($"{LinkName}: '{name}' {problem}");
        }

        TaskSpec complete = spec with { WorkingDirectory = null, Links = targets, State = state };
        return TaskSpecRules.Problem(complete) is { } wrong
            ? throw new UsageException(wrong)
            : new TaskDraft(complete, new BundleSource(folder, limit));
    }

    private string[] StateOf(Invocation call) => [.. (call.Value(State) ?? []).Select(Plain)];

    private string[] LinksOf(Invocation call) =>
        [
            .. (call.Value(Links) ?? []).Select(text =>
                text.IndexOf('=', StringComparison.Ordinal) is >= 0 and int equals ? Plain(text[..equals]) + text[equals..] : Plain(text)
            ),
        ];

    /// <summary>A path without what shells write before and behind it: <c>./checkpoints/</c> is <c>checkpoints</c>.</summary>
    private static string Plain(string path)
    {
        string plain = path;
        while (plain.StartsWith("./", StringComparison.Ordinal))
        {
            plain = plain[2..].TrimStart('/');
        }

        string trimmed = plain.TrimEnd('/');
        return trimmed.Length > 0 ? trimmed
            : path.StartsWith('.') ? "."
            : path;
    }

    private static string? List(string[] texts) =>
        texts.Length == 0 ? null : $"[{string.Join(", ", texts.Select(text => $"\"{JsonEncodedText.Encode(text)}\""))}]";
}
