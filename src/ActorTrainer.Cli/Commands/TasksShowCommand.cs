using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Commands;

internal static class TasksShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        CliCommand command = new("show", "Shows one task.", "actortrainer tasks show digits") { task };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskDetails details = await call.Client.GetTaskAsync(call.Value(task), call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(details);
                }
                else
                {
                    Failure? failure = await LastFailureAsync(call, details.Task);
                    call.Write(Tables.Pairs([.. Describe(details, call.Times), .. Ends(details.Task, failure)]));
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static (string, string?)[] Describe(TaskDetails details, Times times)
    {
        TaskView task = details.Task;
        TaskSpec? spec = details.Spec;
        return
        [
            ("Task", task.Name),
            ("Id", task.Task.ToString()),
            ("Status", task.Detail.Length > 0 ? $"{TaskText.Status(task.Status)}: {task.Detail}" : TaskText.Status(task.Status)),
            ("Warning", task.Warning),
            ("Exit code", task.ExitCode is int code ? Human.Number(code) : null),
            ("Progress", $"{ProgressText.Steps(task)}{(task.Live ? " (live)" : "")}"),
            ("Epoch", ProgressText.Epoch(task.Progress)?.Replace("epoch ", "", StringComparison.Ordinal)),
            ("Left", ProgressText.Left(task)),
            ("Metrics", ProgressText.Metrics(task.Progress)),
            ("Results", task.Results is null ? null : TaskText.Results(task.Results)),
            ("Node", task.Node?.ToString()),
            ("Owner", Owner(details)),
            ("Shard", Human.Number(task.Shard)),
            ("Priority", Human.Number(task.Priority)),
            ("Slots", $"{Human.Number(task.Slots)}{(task.Alone ? ", alone on its node" : "")}"),
            ("Runs", Runs(task)),
            ("Checkpoint", Checkpoint(details, times)),
            ("Submitted", times.Show(task.SubmittedAt)),
            ("Changed", times.Show(task.ChangedAt)),
            (spec?.Command is null ? "Trainer" : "Command", spec is null ? null : EventText.What(spec)),
            ("Starts from", spec?.FromCheckpoint),
            ("Folder", spec?.WorkingDirectory),
            ("Bundle", spec?.Bundle is { } bundle ? Bundling.Describe(bundle) : null),
            ("Links", spec is null ? null : string.Join(", ", spec.Links.Select(link => $"{link.Key} -> {link.Value}"))),
            ("State", spec is null ? null : string.Join(", ", spec.State)),
            ("Environment", spec is null ? null : EnvironmentOf(spec)),
            ("Needs", spec?.NodeEnvironment is { } wanted ? Needs(wanted) : null),
            ("Umask", spec?.Umask),
            ("Children", spec is { WaitForChildren: true } ? "waited for" : null),
            (
                "Stalled",
                spec is { Command: not null } && spec.Stall.OfCommand() is { } limit
                    ? $"after {Human.Duration(limit)} without output, checkpoint and processor time"
                    : null
            ),
            ("Saves", spec is null ? null : Saves(spec)),
            ("Pace", task.Pace is { } pace && spec is { Command: null } ? PaceText.Describe(pace) : null),
            ("Reads", spec is null ? null : ProgressOf(spec)),
            ("Retries", spec is null ? null : Retries(spec.Retry)),
        ];
    }

    /// <summary>Names alone: values are for <c>-o json</c>, which has all but the secret ones.</summary>
    private static string EnvironmentOf(TaskSpec spec) =>
        string.Join(
            '\n',
            (spec.Secrets ?? new Dictionary<string, string>())
                .OrderBy(secret => secret.Key, StringComparer.Ordinal)
                .Select(secret => $"{secret.Key} (secret, from {secret.Value})")
                .Prepend(string.Join(' ', spec.Environment.Keys.Order(StringComparer.Ordinal)))
                .Where(line => line.Length > 0)
        );

    private static string Needs(EnvironmentSpec wanted)
    {
        (string Name, string? Value)[] parts = [("venv", wanted.Venv), ("requirements", wanted.Requirements), ("setup", wanted.Setup)];
        return string.Join('\n', parts.Where(part => part.Value is not null).Select(part => $"{part.Name} {part.Value}"));
    }

    private static string? Owner(TaskDetails details) =>
        details.Owner is { } owner ? $"{owner}, term {Human.Number(details.Term)}"
        : details.Task.Finished ? null
        : "none at the moment";

    private static string Runs(TaskView task) =>
        task.Failures > 0 ? $"{Human.Number(task.Runs)}, {Human.Number(task.Failures)} failed" : Human.Number(task.Runs);

    private static string Retries(RetrySpec policy) =>
        policy.MaxAttempts == 0
            ? "none"
            : $"{Human.Number(policy.MaxAttempts)} after failures of its own, the first after {Human.Duration(policy.Backoff)}";

    private static string? Checkpoint(TaskDetails details, Times times) =>
        details.Task.LastCheckpoint is not { } checkpoint
            ? null
            : $"{checkpoint.Name}: {ProgressText.StepOf(checkpoint)}, {Human.Bytes(checkpoint.Bytes)}, {checkpoint.Reason}"
                + (details.Task.LastCheckpointAt is { } at ? $", {times.Show(at)}" : "")
                + (details.CheckpointAtRisk is true ? "; at risk: it is not copied yet, and the loss of its machine loses it" : "");

    private static string? ProgressOf(TaskSpec spec) =>
        spec.Progress switch
        {
            _ when spec.Command is null => null,
            { Off: true } => "not read from the output",
            { Patterns.Count: > 0 } own => $"read from the output by {string.Join("\n", own.Patterns)}",
            _ => null,
        };

    /// <summary>What stands below: why it failed last, in the words of the script, and what the mark means.</summary>
    private static (string, string?)[] Ends(TaskView task, Failure? failure) =>
        [
            ("Last lines", LastLinesText.Of(failure, LastLinesText.InDetails)),
            (ProgressText.Mark, ProgressText.IsMarked(task) ? ProgressText.MarkExplained : null),
        ];

    /// <summary>The last failure, while it still tells why the task stands where it does; null: there is none.</summary>
    private static async Task<Failure?> LastFailureAsync(Invocation call, TaskView task) =>
        task.Status is TaskStatus.Failed or TaskStatus.Held or TaskStatus.Retrying
            ? (await EventsCommand.ReadAllAsync(call, task.Task.Value, 0))
                .Events.Select(row => LastLinesText.FailureOf(row.Event))
                .LastOrDefault(failure => failure is not null)
            : null;

    private static string Saves(TaskSpec spec)
    {
        CheckpointSpec policy = spec.Checkpoint;
        string epochs = $"every {Human.Number(policy.EpochInterval)} epochs";
        string interval = $"every {Human.Duration(policy.Interval)}";
        string byCost = $"as often as costs at most {PaceText.Percent(policy.MostOverhead())} of the time";
        string when = policy.Strategy switch
        {
            // Whatever the policy says: nobody can ask a command for its state.
            _ when spec.Command is not null => "by itself, when its files are complete",
            CheckpointStrategy.Epoch => epochs,
            CheckpointStrategy.Interval => interval,
            CheckpointStrategy.Event => "on events",
            CheckpointStrategy.Adaptive => $"{byCost}, at least {interval} where that allows it",
            _ => $"{epochs}, {interval}, on events, {byCost}",
        };
        string newest = policy.KeepLast == 1 ? "the newest one" : $"the newest {Human.Number(policy.KeepLast)}";
        string best =
            policy.BestMetric is null || policy.KeepsBest() == 0 ? ""
            : policy.KeepsBest() == 1 ? ", the best one"
            : $", the best {Human.Number(policy.KeepsBest())}";
        string byTime = policy.KeepEvery is { } time ? $", one for each {Human.Duration(time)}" : "";
        string counted = spec.Command is null ? "steps" : "saves";
        string bySteps = policy.KeepEverySteps is { } steps ? $", one for each {Human.Number(steps)} {counted}" : "";
        return $"{when}; keeps {newest}{best}{byTime}{bySteps} and the one last restored from";
    }
}
