using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Queries;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class EventsCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<string> task = TaskArgument.One();
        Option<long> after = new("--after") { Description = "Only events after this number.", HelpName = "N" };
        Option<bool> all = new("--all", "-a") { Description = "Progress and removed checkpoints too (JSON always has them)." };
        CliCommand command = new(
            "events",
            "Lists what happened to a task, as journaled.",
            "actortrainer events digits",
            "actortrainer events digits --utc --all"
        )
        {
            task,
            after,
            all,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                TaskEventList list = await ReadAllAsync(call, call.Value(task), Numbers.AtLeast(0, call.Value(after), "--after"));
                if (call.Json)
                {
                    call.WriteJson(list);
                    return ExitCodes.Ok;
                }

                Table table = Tables.Create(">SEQ", "TIME", ">TERM", "EVENT", "~DETAILS");
                foreach (EventRow row in list.Events.Where(row => call.Value(all) || !EventText.IsRoutine(row.Event)))
                {
                    table.Row(
                        Human.Number(row.Sequence),
                        call.Times.Show(row.Time),
                        Human.Number(row.Term),
                        EventText.Name(row.Event),
                        $"{EventText.Details(row.Event)}\n{LastLinesText.Of(row.Event, LastLinesText.InEvents)}".TrimEnd()
                    );
                }

                call.Write(table);
                return ExitCodes.Ok;
            }
        );
        return command;
    }

    /// <summary>All events of a task after one, whatever pages they come in.</summary>
    public static async Task<TaskEventList> ReadAllAsync(Invocation call, string task, long after)
    {
        List<EventRow> events = [];
        while (true)
        {
            TaskEventList part = await call.Client.ListEventsAsync(task, after, call.Interrupt);
            if (part.Events.Count == 0)
            {
                return part with { Events = events };
            }

            events.AddRange(part.Events);
            after = part.Events[^1].Sequence;
        }
    }
}
