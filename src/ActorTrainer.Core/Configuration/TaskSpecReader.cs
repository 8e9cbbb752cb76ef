using System.Text.Json;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <summary>Makes a validated <see cref="TaskSpec"/> of a task file, <c>task { … }</c>, or refuses it as a whole.</summary>
/// <remarks>
/// <c>trainer.assembly</c> and <c>working-directory</c> are relative to the folder of the file. The working directory of a command is that
/// folder when the file does not say another one, so that <c>command = ["python3", "train.py"]</c> finds the script beside the file; with
/// <c>bundle</c>, <c>links</c> or <c>state</c> it is a folder of each run's own.
/// </remarks>
public static partial class TaskSpecReader
{
    /// <summary>Longest name of a task, in characters; its id is the name and a suffix.</summary>
    public const int MaxNameLength = 63;

    /// <summary>How deep <c>trainer.settings</c> may be nested.</summary>
    public const int MaxSettingsDepth = 32;

    /// <summary>Reads what stands below <c>task</c>; other keys of the root are the user's own.</summary>
    /// <param name="root">The file.</param>
    /// <param name="resolvePath">Makes paths absolute.</param>
    /// <exception cref="ConfigException">A value is wrong or missing, or a key is not known; or the file bundles a folder, which
    /// <see cref="ReadDraft"/> reads.</exception>
    public static TaskSpec Read(ConfigObject root, PathResolver resolvePath) =>
        ReadDraft(root, resolvePath) is { Bundle: null } draft
            ? draft.Spec
            : throw new ConfigException(
                root.Origin,
                "the task has a bundle, which has to be packed: read it as a draft, or remove the key."
            );

    /// <summary>Reads what stands below <c>task</c>, and which folder is to be packed before it is submitted.</summary>
    /// <param name="root">The file.</param>
    /// <param name="resolvePath">Makes paths absolute.</param>
    /// <exception cref="ConfigException">A value is wrong or missing, or a key is not known.</exception>
    public static TaskDraft ReadDraft(ConfigObject root, PathResolver resolvePath)
    {
        ConfigSection task = ConfigSection.Open(root, "task");
        if (!task.Exists)
        {
            string? near = NearestName.Find("task", root.Fields.Select(f => f.Key));
            throw new ConfigException(
                root.Origin,
                "there is no task here; write task { name = …, command = [ … ] }."
                    + (near is null ? "" : $" Did you mean task instead of {near}?")
            );
        }

        ConfigScalar? name = task.Scalar("name");
        ConfigNode? command = task.Take("command");
        IReadOnlyList<string>? words = command is null ? null : ReadCommand(task, command);
        TrainerSpec? trainer = ReadTrainer(task.Section("trainer"), resolvePath);
        EnvironmentSection environment = ReadEnvironment(task, resolvePath);
        string? folder = ReadPath(task, "working-directory", resolvePath);
        BundleSource? bundle = ReadBundle(task, resolvePath);
        SortedDictionary<string, string> links = ReadLinks(task, bundle?.Folder, resolvePath);
        List<string> state = ReadState(task);
        bool own = bundle is not null || links.Count > 0 || state.Count > 0;
        TaskSpec spec = new()
        {
            Name = name?.Text ?? "",
            Priority = task.Int("priority", 0, TaskSpecRules.Priority),
            Slots = task.Int("slots", 1, TaskSpecRules.Slots),
            Command = words,
            Trainer = trainer,
            Environment = environment.Variables,
            Secrets = environment.Secrets,
            NodeEnvironment = environment.Node,
            Umask = ReadUmask(task),
            WorkingDirectory = folder ?? (own ? null : command?.Origin.Folder),
            FromCheckpoint = ReadFromCheckpoint(task),
            Links = links,
            State = state,
            Checkpoint = ReadCheckpoint(task.Section("checkpoint")),
            Retry = ReadRetry(task.Section("retry")),
            Stall = ReadStall(task.Section("stall"), words is not null),
            Progress = ReadProgress(task.Section("progress")),
            WaitForChildren = task.Flag("wait-for-children", false),
            Grace = task.Duration("grace", TimeSpan.FromSeconds(8), TaskSpecRules.Grace),
        };

        // A misspelt key is the likelier mistake than a missing one, so it is reported first.
        task.RejectUnknownKeys();
        CheckWhole(task, spec, name);
        if (
            (
                TaskSpecRules.OwnFolder(words is not null, folder is not null, bundle is not null, false, false)
                ?? TaskSpecRules.Folder(spec)
                ?? TaskSpecRules.NodeEnvironment(spec)
            ) is
            { } problem
        )
        {
            throw task.Wrong($"{task.Path}: {problem}.");
        }

        return new TaskDraft(spec, bundle);
    }

    private static void CheckWhole(ConfigSection task, TaskSpec spec, ConfigScalar? name)
    {
        if (name is null)
        {
            throw task.Wrong("the task has no name; add name = \"…\" to task { … }.");
        }

        if (!TaskId.IsName(spec.Name, MaxNameLength))
        {
            throw task.Wrong(name, "name", $"use 1 to {MaxNameLength} lower-case letters, digits and inner dashes", name.Text);
        }

        if (spec.Command is null == spec.Trainer is null)
        {
            throw task.Wrong(
                spec.Command is null
                    ? "the task has nothing to run; add command = [\"python3\", \"train.py\"] or trainer { type = … }."
                    : "the task has a command and a trainer; keep one of them."
            );
        }

        if (spec.Checkpoint is { KeepBest: > 1, BestMetric: null })
        {
            throw task.Wrong(
                FormattableString.Invariant(
                    $"{task.Path}.checkpoint.keep-best is {spec.Checkpoint.KeepBest}, {TaskSpecRules.NoBestMetric}."
                )
            );
        }

        if (spec.Retry.MaxBackoff < spec.Retry.Backoff)
        {
            throw task.Wrong(
                $"{task.Path}.retry.max-backoff ({Quantities.Format(spec.Retry.MaxBackoff)}) is shorter than backoff "
                    + $"({Quantities.Format(spec.Retry.Backoff)}); make it at least as long."
            );
        }
    }

    private static IReadOnlyList<string> ReadCommand(ConfigSection task, ConfigNode node)
    {
        const string key = "command";
        IReadOnlyList<string>? words;
        switch (node)
        {
            case ConfigScalar text:
                if (!CommandLine.TrySplit(text.Text!, out words, out string problem))
                {
                    throw task.Wrong(text, key, problem, text.Text);
                }

                break;
            case ConfigArray array when array.Items.All(i => i is ConfigScalar { Text: not null }):
                words = [.. array.Items.Select(i => ((ConfigScalar)i).Text!)];
                break;
            default:
                throw task.Wrong(node, key, "must be a list of texts such as [\"python3\", \"train.py\"], or one text");
        }

        if (words.Count == 0 || words[0].Length == 0)
        {
            throw task.Wrong(node, key, "names no executable; write it first, for example [\"python3\", \"train.py\"]");
        }

        return words.Any(w => w.Contains('\0', StringComparison.Ordinal))
            ? throw task.Wrong(node, key, "contains a zero character, which no command line can; remove it")
            : words;
    }

    private static TrainerSpec? ReadTrainer(ConfigSection section, PathResolver resolvePath)
    {
        ConfigScalar? type = section.Scalar("type");
        string? assembly = ReadPath(section, "assembly", resolvePath);
        ConfigNode? settings = section.Take("settings");
        if (settings is not null and not ConfigObject)
        {
            throw section.Wrong(settings, "settings", "must be an object; write settings { … }");
        }

        if (settings is not null && Depth(settings) > MaxSettingsDepth)
        {
            throw section.Wrong(settings, "settings", $"is nested more than {MaxSettingsDepth} levels deep; flatten it");
        }

        if (!section.Exists)
        {
            return null;
        }

        section.RejectOwnUnknownKeys();
        JsonElement? json = settings is null ? null : ConfigJson.ToJson(settings);
        return string.IsNullOrWhiteSpace(type?.Text)
            ? throw section.Wrong(
                $"{section.Path} has no type; add type = \"Namespace.Class\", the full name of a class that implements ITrainer."
            )
            : new TrainerSpec(type.Text, assembly, json);
    }

    private static int Depth(ConfigNode node) =>
        node switch
        {
            ConfigObject value => 1 + value.Fields.Select(f => Depth(f.Value)).DefaultIfEmpty(0).Max(),
            ConfigArray array => 1 + array.Items.Select(Depth).DefaultIfEmpty(0).Max(),
            _ => 0,
        };

    private static string? ReadUmask(ConfigSection task) =>
        task.Scalar("umask") is not { } umask ? null
        : TaskSpecRules.UmaskProblem(umask.Text!) is { } problem ? throw task.Wrong(umask, "umask", problem, umask.Text)
        : umask.Text;

    private static string? ReadPath(ConfigSection section, string key, PathResolver resolvePath)
    {
        if (section.Scalar(key) is not { } scalar)
        {
            return null;
        }

        return ConfigPath.IsUsable(scalar.Text)
            ? resolvePath(scalar.Text, scalar.Origin)
            : throw section.Wrong(scalar, key, "that is not a path; write one, or remove the key", scalar.Text);
    }

    private static string? ReadFromCheckpoint(ConfigSection task)
    {
        const string key = "from-checkpoint";
        return task.Scalar(key) is not { } scalar ? null
            : CheckpointNames.TryParse(scalar.Text, out _) ? scalar.Text
            : throw task.Wrong(scalar, key, TaskSpecRules.NoCheckpoint, scalar.Text);
    }

    private static CheckpointSpec ReadCheckpoint(ConfigSection section)
    {
        CheckpointSpec defaults = new();
        (TimeSpan? keepEvery, long? keepEverySteps) = ReadKeepEvery(section);
        (TimeSpan? fullEvery, int? fullEverySaves) = ReadFullEvery(section);
        return new CheckpointSpec
        {
            Strategy = section.Choice(
                "strategy",
                defaults.Strategy,
                ("epoch", CheckpointStrategy.Epoch),
                ("interval", CheckpointStrategy.Interval),
                ("event", CheckpointStrategy.Event),
                ("hybrid", CheckpointStrategy.Hybrid),
                ("adaptive", CheckpointStrategy.Adaptive)
            ),
            EpochInterval = section.Int("epoch-interval", defaults.EpochInterval, TaskSpecRules.EpochInterval),
            Interval = section.Duration("interval", defaults.Interval, TaskSpecRules.Interval),
            MaxOverhead = section.OptionalPercent("max-overhead", TaskSpecRules.MaxOverhead.Min, TaskSpecRules.MaxOverhead.Max),
            BestMetric = section.Text("best-metric"),
            BestIsLargest = section.Flag("best-is-largest", defaults.BestIsLargest),
            KeepLast = section.Int("keep-last", defaults.KeepLast, TaskSpecRules.KeepLast),
            KeepBest = section.OptionalInt("keep-best", TaskSpecRules.KeepBest.Min, TaskSpecRules.KeepBest.Max),
            KeepEvery = keepEvery,
            KeepEverySteps = keepEverySteps,
            FullEvery = fullEvery,
            FullEverySaves = fullEverySaves,
            OnDamage = section.Choice("on-damage", defaults.OnDamage, ("hold", DamageAction.Hold), ("restart", DamageAction.Restart)),
            Capture = section.Choice(
                "capture",
                defaults.Capture,
                ("auto", CheckpointCapture.Auto),
                ("rename", CheckpointCapture.Rename),
                ("commit", CheckpointCapture.Commit)
            ),
            DoneFile = section.Text("done-file"),
            WarnAfter = section.OptionalDuration("warn-after", TaskSpecRules.Stall.Min, TaskSpecRules.Stall.Max),
        };
    }

    private static RetrySpec ReadRetry(ConfigSection section)
    {
        RetrySpec defaults = new();
        return new RetrySpec
        {
            MaxAttempts = section.Int("max-attempts", defaults.MaxAttempts, TaskSpecRules.MaxAttempts),
            Backoff = section.Duration("backoff", defaults.Backoff, TaskSpecRules.Backoff),
            MaxBackoff = section.Duration("max-backoff", defaults.MaxBackoff, TaskSpecRules.Backoff),
            Rules = ReadRules(section),
        };
    }

    private static List<FailureRule> ReadRules(ConfigSection section)
    {
        const string key = "rules";
        List<FailureRule> rules = [];
        ConfigNode? node = section.Take(key);
        if (node is null)
        {
            return rules;
        }

        if (node is not ConfigArray array)
        {
            throw section.Wrong(node, key, "must be a list; write rules = [ { name = \"…\", action = hold, exit-code = 2 } ]");
        }

        foreach (ConfigNode item in array.Items)
        {
            ConfigObject value =
                item as ConfigObject
                ?? throw section.Wrong(
                    item,
                    key,
                    "has an item that is not an object; write { name = \"…\", action = hold, exit-code = 2 }"
                );
            ConfigSection rule = section.Item(value, key);
            FailureRule read = new(
                rule.Text("name") ?? "",
                rule.Choice(
                    "action",
                    FailureAction.Retry,
                    ("retry", FailureAction.Retry),
                    ("retry-elsewhere", FailureAction.RetryElsewhere),
                    ("hold", FailureAction.Hold),
                    ("stop", FailureAction.Stop)
                ),
                rule.OptionalInt("exit-code", TaskSpecRules.ExitCode.Min, TaskSpecRules.ExitCode.Max),
                rule.OptionalInt("signal", TaskSpecRules.Signal.Min, TaskSpecRules.Signal.Max),
                rule.Text("pattern")
            );
            rule.RejectOwnUnknownKeys();
            CheckRule(rule, value, read);
            rules.Add(read);
        }

        return rules;
    }

    private static void CheckRule(ConfigSection rule, ConfigObject value, FailureRule read)
    {
        if (read.Name.Length == 0)
        {
            throw rule.Wrong($"a rule of {rule.Path} has no name; add name = \"…\", it is shown in the task's events.");
        }

        if (value.At("action") is null)
        {
            throw rule.Wrong($"rule '{read.Name}' of {rule.Path} has no action; add action = retry, retry-elsewhere, hold or stop.");
        }

        if (read is { ExitCode: null, Signal: null, Pattern: null })
        {
            throw rule.Wrong($"rule '{read.Name}' of {rule.Path} has no condition; add exit-code, signal or pattern.");
        }
    }

    private static StallSpec ReadStall(ConfigSection section, bool ofCommand)
    {
        bool watched = ofCommand && section.Scalar("training") is not null;
        StallSpec defaults = new();
        TimeSpan training = section.Duration("training", defaults.Training, TaskSpecRules.Stall);
        return new StallSpec
        {
            Starting = section.Duration("starting", defaults.Starting, TaskSpecRules.Stall),
            Restoring = section.Duration("restoring", defaults.Restoring, TaskSpecRules.Stall),
            Training = training,
            Command = watched ? training : null,
            Evaluating = section.Duration("evaluating", defaults.Evaluating, TaskSpecRules.Stall),
            Saving = section.Duration("saving", defaults.Saving, TaskSpecRules.Stall),
        };
    }
}
