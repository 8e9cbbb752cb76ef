using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using Spectre.Console;

namespace ActorTrainer.Cli.Commands;

internal static class ClusterShowCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        CliCommand command = new("show", "Shows the nodes, what they run and who coordinates.", "actortrainer cluster show");
        Invocation.Set(
            command,
            cli,
            globals,
            async call =>
            {
                ClusterStatus status = await call.Client.GetClusterAsync(atRisk: true, call.Interrupt);
                if (call.Json)
                {
                    call.WriteJson(status);
                    return ExitCodes.Ok;
                }

                Table table = Tables.Create("NODE", "~NAME", "STATE", ">SLOTS", ">TASKS", ">SHARDS", ">LIFE", "~");
                foreach (MemberView member in status.Members)
                {
                    table.Row(
                        new Text(member.Address.ToString()),
                        new Text(NodeText.Name(member.Address, member.Name)),
                        new Text(State(member), Style(member)),
                        new Text($"{Human.Number(member.UsedSlots)}/{Human.Number(member.Slots)}"),
                        new Text(Human.Number(member.Tasks)),
                        new Text(Human.Number(member.Shards)),
                        new Text(Human.Number(member.Incarnation)),
                        new Text(Marks(member))
                    );
                }

                call.Write(table);
                foreach (string warning in Warnings(status))
                {
                    call.Line(warning);
                }

                return ExitCodes.Ok;
            }
        );
        return command;
    }

    /// <summary>What gossip says; the journal's word where gossip is silent.</summary>
    private static string State(MemberView member) =>
        member.State?.ToString().ToLowerInvariant() ?? $"{member.Status?.ToString().ToLowerInvariant() ?? "unknown"} (journal)";

    private static Style Style(MemberView member) =>
        new(
            member.State switch
            {
                MemberState.Up when !member.Cordoned => Color.Green,
                MemberState.Suspect or MemberState.Leaving or MemberState.Joining => Color.Yellow,
                MemberState.Down => Color.Red,
                _ => Color.Grey,
            }
        );

    private static string Marks(MemberView member)
    {
        List<string> marks = [];
        if (member.LeaseHolder)
        {
            marks.Add("lease");
        }

        if (member.Cordoned)
        {
            marks.Add("cordoned");
        }

        if (!member.Reachable && member.State is not (MemberState.Down or MemberState.Removed))
        {
            marks.Add("unreachable");
        }

        if (member.Self)
        {
            marks.Add("answers");
        }

        return string.Join(' ', marks);
    }

    private static IEnumerable<string> Warnings(ClusterStatus status)
    {
        if (status.Version < 0)
        {
            yield return "The node that answers has not read the journal yet.";
        }

        if (status.UnassignedShards > 0)
        {
            yield return status.UnassignedShards == 1
                ? "1 shard has no owner at the moment."
                : $"{Human.Number(status.UnassignedShards)} shards have no owner at the moment.";
        }

        if (status.Version >= 0 && status.Lease.Holder == 0)
        {
            yield return "Nobody holds the coordinator's lease at the moment.";
        }

        if (status.CheckpointsAtRisk is > 0 and int atRisk)
        {
            yield return (atRisk == 1 ? "1 checkpoint is" : $"{Human.Number(atRisk)} checkpoints are")
                + " at risk: not copied yet, and lost with the machine. See 'actortrainer checkpoints ls'.";
        }
    }
}
