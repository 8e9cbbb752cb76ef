using System.CommandLine;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;

namespace ActorTrainer.Cli.Commands;

internal static class ShardsShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Argument<int?> shard = new("SHARD") { Description = "The shard's number.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> task = new("--task") { Description = "The shard of this task.", HelpName = "TASK" };
        CliCommand command = new(
            "show",
            "Shows one shard: its owner, term and unfinished tasks.",
            "actortrainer shards show 17",
            "actortrainer shards show --task digits"
        )
        {
            shard,
            task,
        };
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                int? number = call.Args.GetValue(shard);
                string? named = call.Value(task);
                if (number is null == named is null)
                {
                    throw new UsageException("name a shard or give --task TASK");
                }

                ShardDetails details = named is not null
                    ? await call.Client.GetShardOfAsync(named, call.Interrupt)
                    : await call.Client.GetShardAsync(number!.Value, call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(details);
                    return ExitCodes.Ok;
                }

                string life = $"life {Human.Number(details.Owner)}";
                call.Write(
                    Tables.Pairs(
                        ("Shard", Human.Number(details.Shard)),
                        (
                            "Owner",
                            details.Owner == 0 ? "nobody"
                            : details.Address is { } address ? $"{address} ({life})"
                            : life
                        ),
                        ("Term", Human.Number(details.Term)),
                        (
                            "Tasks",
                            details.Tasks.Count == 0
                                ? "none"
                                : string.Join(", ", details.Tasks.Select(view => $"{view.Name} ({TaskText.Status(view.Status)})"))
                        )
                    )
                );
                return ExitCodes.Ok;
            }
        );
        return command;
    }
}
