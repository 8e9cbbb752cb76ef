using System.Globalization;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>Members and shards: show, drain, cordon.</summary>
internal sealed class ClusterEndpoints(ITaskClient client, TaskLookup lookup)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/cluster", http => http.WriteAsync(StatusCodes.Status200OK, Status(), ApiJson.Default.ClusterStatus));
        routes.Post("/v1/cluster/drain", http => CommandAsync(http, (target, stop) => client.DrainAsync(target, stop)));
        routes.Post("/v1/cluster/cordon", http => CommandAsync(http, (target, stop) => client.CordonAsync(target, true, stop)));
        routes.Post("/v1/cluster/uncordon", http => CommandAsync(http, (target, stop) => client.CordonAsync(target, false, stop)));
        routes.Get("/v1/shards", ShardsAsync);
    }

    /// <summary>The address of a member given by address or name.</summary>
    /// <exception cref="ApiProblemException">404: no member is called so.</exception>
    public static NodeAddress FindNode(ITaskClient client, string text)
    {
        (NodeAddress Address, string Name)[] known =
        [
            .. client.Membership.Members
                .Where(member => member.State is not (MemberState.Down or MemberState.Removed))
                .Select(member => (member.Address, member.Name))
                .Concat(client.Cluster.Members
                    .Where(row => row.Status is not (MemberStatus.Down or MemberStatus.Removed))
                    .Select(row => (row.Address, row.Name)))
                .Distinct()
                .OrderBy(member => member.Address),
        ];
        foreach ((NodeAddress address, string name) in known)
        {
            if (name == text || (NodeAddress.TryParse(text, out NodeAddress asked) && asked == address))
            {
                return address;
            }
        }

        throw new ApiProblemException(
            StatusCodes.Status404NotFound,
            $"no node of this cluster is called '{text}'",
            $"use one of {string.Join(", ", known.Select(member => member.Address))}");
    }

    private async Task CommandAsync(HttpContext http, Func<NodeAddress, CancellationToken, Task<CommandReply>> send)
    {
        NodeBody? body = (await http.ReadBodyAsync()).Get(ApiJson.Default.NodeBody);
        if (string.IsNullOrEmpty(body?.Node))
        {
            throw new ApiProblemException(StatusCodes.Status400BadRequest, "the body names no node", "send {\"node\": \"127.0.0.1:7400\"}");
        }

        NodeAddress target = FindNode(client, body.Node);
        CommandReply reply = await send(target, http.RequestAborted);
        if (reply is CommandAccepted)
        {
            await http.WriteAsync(StatusCodes.Status200OK, new NodeBody(target.ToString()), ApiJson.Default.NodeBody);
            return;
        }

        await http.WriteReplyAsync(reply);
    }

    private ClusterStatus Status()
    {
        MembershipView gossip = client.Membership;
        ClusterRows rows = client.Cluster;
        Dictionary<int, long> owners = rows.Shards.ToDictionary(row => row.Shard, row => row.Owner);
        ILookup<long, TaskSummary> tasks = rows.Tasks.ToLookup(task => owners.GetValueOrDefault(task.Shard));
        Dictionary<long, int> shards = rows.Shards.CountBy(row => row.Owner).ToDictionary();
        Dictionary<long, MemberRow> journaled = rows.Members.ToDictionary(member => member.Incarnation);
        List<MemberView> members = [];
        foreach (long incarnation in gossip.Members.Select(member => member.Incarnation).Union(journaled.Keys))
        {
            MemberRecord? record = gossip.Find(incarnation);
            MemberRow? row = journaled.GetValueOrDefault(incarnation);
            if (row?.Status is MemberStatus.Down or MemberStatus.Removed && rows.Members.Any(later => later.Address == row.Address && later.Incarnation > incarnation))
            {
                // A former life of a node that stands in the list with its present one.
                continue;
            }

            members.Add(new MemberView(
                incarnation,
                row?.Address ?? record!.Address,
                row?.Name ?? record!.Name,
                record?.State,
                row?.Status,
                gossip.Reachable.Contains(incarnation) || incarnation == client.Incarnation,
                row?.Cordoned ?? record!.Cordoned,
                row?.Slots ?? record!.Slots,
                tasks[incarnation].Where(task => task.Status == TaskStatus.Running).Sum(task => task.Slots),
                tasks[incarnation].Count(),
                shards.GetValueOrDefault(incarnation),
                incarnation != 0 && rows.Coordinator == incarnation,
                incarnation == client.Incarnation,
                row?.Roles ?? [],
                row?.Pid ?? 0,
                row?.Version ?? ""));
        }

        HashSet<long> living =
        [
            .. rows.Members.Where(row => row.Status is not (MemberStatus.Down or MemberStatus.Removed)).Select(row => row.Incarnation),
        ];
        return new ClusterStatus(
            client.Incarnation,
            new CoordinatorLease(rows.Coordinator),
            rows.Version,
            rows.Tasks.Count,
            rows.Shards.Count(row => row.Owner != 0 && !living.Contains(row.Owner)),
            [.. members.OrderBy(member => member.Address).ThenBy(member => member.Incarnation)]);
    }

    private async Task ShardsAsync(HttpContext http)
    {
        string? task = http.Request.Query["task"];
        ClusterRows rows = client.Cluster;
        if (!string.IsNullOrEmpty(task))
        {
            TaskListing listing = await lookup.FindAsync(task, http.RequestAborted);
            await ShowAsync(http, rows, listing.Summary.Shard);
        }
        else if (http.Number("shard") is long number)
        {
            await ShowAsync(http, rows, number);
        }
        else
        {
            await http.WriteAsync(StatusCodes.Status200OK, Summarize(rows), ApiJson.Default.ShardSummary);
        }
    }

    private async Task ShowAsync(HttpContext http, ClusterRows rows, long number)
    {
        if (rows.Shards.FirstOrDefault(row => row.Shard == number, new ShardRow(-1, 0, 0)) is not { Shard: >= 0 } shard)
        {
            throw new ApiProblemException(
                StatusCodes.Status404NotFound,
                string.Create(CultureInfo.InvariantCulture, $"there is no shard {number}"),
                rows.Shards.Count == 0
                    ? "this node has not read the journal yet; ask again in a moment"
                    : string.Create(CultureInfo.InvariantCulture, $"use 0 to {rows.Shards.Count - 1}"));
        }

        IReadOnlyList<TaskListing> tasks = await client.ListTasksAsync(new TaskFilter(Unfinished: true), http.RequestAborted);
        ShardDetails details = new(
            shard.Shard,
            shard.Owner,
            rows.Members.FirstOrDefault(member => member.Incarnation == shard.Owner)?.Address,
            shard.Term,
            [.. tasks.Where(task => task.Summary.Shard == shard.Shard).Select(lookup.View)]);
        await http.WriteAsync(StatusCodes.Status200OK, details, ApiJson.Default.ShardDetails);
    }

    private static ShardSummary Summarize(ClusterRows rows)
    {
        ILookup<int, TaskSummary> tasks = rows.Tasks.ToLookup(task => task.Shard);
        return new ShardSummary(
            rows.Shards.Count,
            [
                .. rows.Shards
                    .GroupBy(row => row.Owner)
                    .Select(group => (Rows: group, Member: rows.Members.FirstOrDefault(member => member.Incarnation == group.Key)))
                    .Select(owner => new ShardOwner(
                        owner.Rows.Key,
                        owner.Member?.Address,
                        owner.Member?.Name ?? "",
                        owner.Rows.Count(),
                        owner.Rows.Count(row => tasks.Contains(row.Shard)),
                        owner.Rows.Sum(row => tasks[row.Shard].Count()),
                        owner.Rows.Max(row => row.Term)))
                    .OrderBy(owner => owner.Address?.ToString() ?? "", StringComparer.Ordinal)
                    .ThenBy(owner => owner.Incarnation),
            ]);
    }
}
