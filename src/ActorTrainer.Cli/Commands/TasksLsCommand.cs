using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class TasksLsCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Option<bool> all = new("--all", "-a") { Description = "Finished tasks too." };
        CliCommand command = new(
            "ls",
            "Lists tasks, newest first.",
            "actortrainer tasks ls",
            "actortrainer tasks ls --all -o json | jq '.tasks[].name'"
        )
        {
            all,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskList list = await call.Client.ListTasksAsync(!call.Value(all), call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(list);
                    return ExitCodes.Ok;
                }

                if (list.Tasks.Count == 0)
                {
                    call.Note(call.Value(all) ? "there are no tasks" : "there are no unfinished tasks; --all lists finished ones too");
                    return ExitCodes.Ok;
                }

                call.Write(Rows(list.Tasks, call.Times));
                foreach (TaskView task in list.Tasks)
                {
                    string? line = TaskText.NeedsExplaining(task)
                        ? TaskText.Explanation(task)
                        : ProgressText.Line(task, call.Times, call.Cli.Width);
                    if (line is not null)
                    {
                        call.Line(line);
                    }
                }

                if (list.Tasks.Any(ProgressText.IsMarked))
                {
                    call.Line($"{ProgressText.Mark}: {ProgressText.MarkExplained}");
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    private static Table Rows(IReadOnlyList<TaskView> tasks, Times times)
    {
        Table table = Tables.Create("~NAME", "STATUS", ">DONE", ">PRIO", ">RUN", "NODE", "CHANGED");
        foreach (TaskView task in tasks)
        {
            table.Row(
                new Text(task.Name),
                new Text(TaskText.Status(task.Status), TaskText.Style(task.Status)),
                new Text(ProgressText.Done(task)),
                new Text(Human.Number(task.Priority)),
                new Text(Human.Number(task.Runs)),
                new Text(task.Node?.ToString() ?? "-"),
                new Text(times.Show(task.ChangedAt))
            );
        }

        return table;
    }
}
