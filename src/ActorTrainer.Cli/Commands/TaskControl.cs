using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Commands;

/// <summary>Commands that ask one thing of each task named.</summary>
internal static class TaskControl
{
    public static CliCommand Create(
        CliContext cli,
        GlobalOptions globals,
        string name,
        string description,
        string outcome,
        Func<ActorTrainerClient, string, CancellationToken, Task<CommandAccepted>> send
    )
    {
        Argument<string[]> tasks = TaskArgument.Some(ArgumentArity.OneOrMore);
        CliCommand command = new(name, description, $"actortrainer tasks {name} digits") { tasks };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                int code = ExitCodes.Ok;
                foreach (string task in call.Value(tasks))
                {
                    try
                    {
                        CommandAccepted accepted = await send(call.Client, task, call.Interrupt);
                        call.Note($"{task}: {outcome}{(accepted.Note is { } note ? $"; {note}" : "")}");
                    }
                    catch (ActorTrainerApiException e) when (e.Status != 401)
                    {
                        // One refusal must not keep the others from being asked.
                        call.Note($"{task}: {e.Message}");
                        code = ExitCodes.Failed;
                    }
                }

                return code;
            }
        );
        return command;
    }
}
