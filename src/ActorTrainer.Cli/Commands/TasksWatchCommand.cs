using System.CommandLine;
using System.Globalization;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using Spectre.Console;
using Spectre.Console.Rendering;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cli.Commands;

internal static class TasksWatchCommand
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = new ActorTrainerClientOptions().Patience;

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string[]> tasks = TaskArgument.Some(ArgumentArity.ZeroOrMore);
        CliCommand command = new(
            "watch",
            "Shows tasks live until all that it shows are finished: those named, or the unfinished ones. Piped: a line for each change.",
            "actortrainer tasks watch",
            "actortrainer tasks watch digits-a digits-b | tee progress.txt"
        )
        {
            tasks,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                await call.Client.LearnNodesAsync(call.Interrupt);
                foreach (string named in call.Value(tasks))
                {
                    await call.Client.GetTaskAsync(named, call.Interrupt);
                }

                Selection selection = new(call.Value(tasks));
                if (!cli.OutIsTerminal)
                {
                    ChangeLines lines = new(call);
                    await PollAsync(call, selection, lines.Show);
                    return ExitCodes.Ok;
                }

                await cli.CreateConsole()
                    .Live(new Text(""))
                    .AutoClear(false)
                    .StartAsync(async live =>
                        await PollAsync(
                            call,
                            selection,
                            (shown, trouble) =>
                            {
                                live.UpdateTarget(Draw(call, shown, trouble));
                                live.Refresh();
                            }
                        )
                    );
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static async Task PollAsync(Invocation call, Selection selection, Action<IReadOnlyList<TaskView>, string?> show)
    {
        IReadOnlyList<TaskView> shown = [];
        long? silentSince = null;
        long learned = call.Cli.Time.GetTimestamp();
        while (true)
        {
            string? trouble = null;
            try
            {
                shown = selection.Take((await call.Client.ListTasksAsync(false, call.Interrupt)).Tasks);
                silentSince = null;
                if (call.Cli.Time.GetElapsedTime(learned) > TimeSpan.FromSeconds(10))
                {
                    await call.Client.LearnNodesAsync(call.Interrupt);
                    learned = call.Cli.Time.GetTimestamp();
                }
            }
            catch (Exception e) when (ActorTrainerClient.IsTransient(e))
            {
                silentSince ??= call.Cli.Time.GetTimestamp();
                if (call.Cli.Time.GetElapsedTime(silentSince.Value) > Patience)
                {
                    throw;
                }

                trouble = e.Message;
            }

            show(shown, trouble);
            if (trouble is null && shown.All(task => task.Finished))
            {
                return;
            }

            await Task.Delay(PollInterval, call.Cli.Time, call.Interrupt);
        }
    }

    private static IRenderable Draw(Invocation call, IReadOnlyList<TaskView> tasks, string? trouble)
    {
        bool wide = call.Cli.Width >= 100;
        Table table = wide
            ? Tables.Create("~NAME", "STATUS", "PROGRESS", "STEP", ">LEFT", "NODE", ">RUN", "SAVED", "~METRICS")
            : Tables.Create("~NAME", "STATUS", "PROGRESS", ">LEFT", "NODE", "~METRICS");
        int barWidth = call.Cli.Width >= 140 ? 24 : 10;
        Times times = call.Times;
        foreach (TaskView task in tasks)
        {
            double? share = task.Status == TaskStatus.Completed ? 1 : ProgressText.Share(task.Progress);
            string bar = share is double known ? $"{TaskText.Bar(known, barWidth)} {ProgressText.Done(task), 4}" : "";
            string metrics = TaskText.NeedsExplaining(task) ? task.Detail : ProgressText.Metrics(task.Progress);
            List<Text> cells =
            [
                new(task.Name),
                new(TaskText.Status(task.Status), TaskText.Style(task.Status)),
                new(bar, TaskText.Style(task.Status)),
            ];
            if (wide)
            {
                cells.Add(new Text(Step(task.Progress)));
            }

            cells.Add(new Text(ProgressText.Left(task) ?? "-"));
            cells.Add(new Text(task.Node?.ToString() ?? "-"));
            if (wide)
            {
                cells.Add(new Text(Human.Number(task.Runs)));
                cells.Add(new Text(ProgressText.Saved(task, times) ?? "-"));
            }

            cells.Add(new Text(metrics));
            table.AddRow(cells);
        }

        return trouble is null ? table : new Rows(table, new Text(trouble, new Style(Color.Red)));
    }

    private static string Step(TaskProgress progress) =>
        progress.Output is not { } output ? Human.Number(progress.Step)
        : output.Step is null ? ProgressText.Epoch(progress) ?? "-"
        : ProgressText.OwnStep(output).Replace("step ", "", StringComparison.Ordinal);

    /// <summary>Which tasks are shown: those named, or those that were unfinished at any time of the watch.</summary>
    private sealed class Selection(string[] named)
    {
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

        public IReadOnlyList<TaskView> Take(IReadOnlyList<TaskView> all)
        {
            foreach (TaskView task in all)
            {
                if (named.Length == 0 ? !task.Finished : named.Contains(task.Name) || named.Contains(task.Task.Value))
                {
                    _seen.Add(task.Task.Value);
                }
            }

            return [.. all.Where(task => _seen.Contains(task.Task.Value)).OrderBy(task => task.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Prints a line when a task's line has changed.</summary>
    private sealed class ChangeLines(Invocation call)
    {
        private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
        private string? _trouble;

        public void Show(IReadOnlyList<TaskView> tasks, string? trouble)
        {
            if (trouble is not null && trouble != _trouble)
            {
                call.Note(trouble);
            }

            _trouble = trouble;
            foreach (TaskView task in tasks)
            {
                string line = Describe(task);
                if (_last.GetValueOrDefault(task.Task.Value) != line)
                {
                    _last[task.Task.Value] = line;
                    call.Line($"{call.Cli.Now.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)} {line}");
                }
            }
        }

        private static string Describe(TaskView task)
        {
            List<string> parts = [task.Name, TaskText.Status(task.Status)];
            if (task.Progress is { Step: > 0 } or { Output.Step: not null })
            {
                parts.Add($"{(task.Progress.Output is null && !ProgressText.IsCounted(task) ? "step " : "")}{ProgressText.Steps(task)}");
            }

            if (ProgressText.Left(task) is { } left)
            {
                parts.Add($"{left} left");
            }

            if (task.Node is { } node)
            {
                parts.Add($"on {node}");
            }

            if (ProgressText.Metrics(task.Progress) is { Length: > 0 } metrics)
            {
                parts.Add(metrics);
            }

            if (TaskText.NeedsExplaining(task))
            {
                parts.Add($"({task.Detail})");
            }

            return string.Join(' ', parts);
        }
    }
}
