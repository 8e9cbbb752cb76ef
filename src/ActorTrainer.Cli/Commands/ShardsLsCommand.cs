using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class ShardsLsCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        CliCommand command = new("ls", "Lists how many shards each node owns.", "actortrainer shards ls");
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                ShardSummary summary = await call.Client.GetShardsAsync(call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(summary);
                    return ExitCodes.Ok;
                }

                Table table = Tables.Create("OWNER", "~NAME", ">SHARDS", ">WITH TASKS", ">TASKS", ">HIGHEST TERM");
                foreach (ShardOwner owner in summary.Owners)
                {
                    table.Row(
                        owner.Address?.ToString() ?? (owner.Incarnation == 0 ? "nobody" : $"life {Human.Number(owner.Incarnation)}"),
                        owner.Address is { } address ? NodeText.Name(address, owner.Name) : owner.Name,
                        Human.Number(owner.Shards),
                        Human.Number(owner.ShardsWithTasks),
                        Human.Number(owner.Tasks),
                        Human.Number(owner.HighestTerm)
                    );
                }

                call.Write(table);
                call.Line($"{Human.Number(summary.NumberOfShards)} shards in all");
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
