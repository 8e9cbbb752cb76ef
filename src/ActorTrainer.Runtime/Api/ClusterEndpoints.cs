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
internal sealed class ClusterEndpoints(ITaskClient client, TaskLookup lookup, RiskCatalog risks)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/cluster", ShowAsync);
        routes.Post("/v1/cluster/drain", http => CommandAsync(http, (target, stop) => client.DrainAsync(target, stop)));
        routes.Post("/v1/cluster/cordon", http => CommandAsync(http, (target, stop) => client.CordonAsync(target, true, stop)));
        routes.Post("/v1/cluster/uncordon", http => CommandAsync(http, (target, stop) => client.CordonAsync(target, false, stop)));
        routes.Get("/v1/shards", ShardsAsync);
    }

    /// <summary>The address of a member given by address or name.</summary>
    /// <exception cref="ApiProblemException">404: no member is called so; 503: this node has only just been started.</exception>
    public static NodeAddress FindNode(ITaskClient client, string text)
    {
        (NodeAddress Address, string Name)[] known =
        [
            .. client
                .View.Members.Where(member => member.IsSeen || member.IsRegistered)
                .Select(member => (member.Address, member.Name))
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

        if (known.Length == 0)
        {
            throw new ApiProblemException(
                StatusCodes.Status503ServiceUnavailable,
                "this node does not know the members of the cluster yet",
                ApiProblemException.Later
            );
        }

        throw new ApiProblemException(
            StatusCodes.Status404NotFound,
            $"no node of this cluster is called '{text}'",
            $"use one of {string.Join(", ", known.Select(member => member.Address))}"
        );
    }

    /// <summary>What is at risk is known by each node for itself; only who asks for it waits for them.</summary>
    private async Task ShowAsync(HttpContext http)
    {
        int? atRisk = http.Flag("atRisk") ? (await risks.CollectAsync(http.RequestAborted))?.Count : null;
        await http.WriteAsync(StatusCodes.Status200OK, Status() with { CheckpointsAtRisk = atRisk }, ApiJson.Default.ClusterStatus);
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
        ClusterView view = client.View;
        Dictionary<int, long> owners = view.Shards.ToDictionary(row => row.Shard, row => row.Owner);
        ILookup<long, TaskSummary> tasks = view.Tasks.ToLookup(task => owners.GetValueOrDefault(task.Shard));
        Dictionary<long, int> shards = view.Shards.CountBy(row => row.Owner).ToDictionary();
        HashSet<long> registered = [.. view.Members.Where(member => member.IsRegistered).Select(member => member.Incarnation)];
        return new ClusterStatus(
            view.Self,
            new CoordinatorLease(view.Coordinator),
            view.Version,
            view.Tasks.Count,
            view.Shards.Count(row => row.Owner != 0 && !registered.Contains(row.Owner)),
            [
                .. view
                    .Members.Where(member => !IsFormerLife(member, view))
                    .OrderBy(member => member.Address)
                    .ThenBy(member => member.Incarnation)
                    .Select(member => new MemberView(
                        member.Incarnation,
                        member.Address,
                        member.Name,
                        member.State,
                        member.Status,
                        member.IsReachable || member.Incarnation == view.Self,
                        member.Cordoned,
                        member.Slots,
                        tasks[member.Incarnation].Where(task => task.Status == TaskStatus.Running).Sum(task => task.Slots),
                        tasks[member.Incarnation].Count(),
                        shards.GetValueOrDefault(member.Incarnation),
                        member.IsCoordinator,
                        member.Incarnation == view.Self,
                        member.Roles,
                        member.Pid,
                        member.Version
                    )),
            ]
        );
    }

    /// <summary>Whether it is a former life of a node that stands in the list with its present one.</summary>
    private static bool IsFormerLife(ClusterMember member, ClusterView view) =>
        !member.IsRegistered && view.Members.Any(later => later.Address == member.Address && later.Incarnation > member.Incarnation);

    private async Task ShardsAsync(HttpContext http)
    {
        string? task = http.Request.Query["task"];
        ClusterView view = client.View;
        if (!string.IsNullOrEmpty(task))
        {
            TaskListing listing = await lookup.FindAsync(task, http.RequestAborted);
            await ShowAsync(http, view, listing.Summary.Shard);
        }
        else if (http.Number("shard") is long number)
        {
            await ShowAsync(http, view, number);
        }
        else
        {
            await http.WriteAsync(StatusCodes.Status200OK, Summarize(view), ApiJson.Default.ShardSummary);
        }
    }

    private async Task ShowAsync(HttpContext http, ClusterView view, long number)
    {
        if (view.Shards.FirstOrDefault(row => row.Shard == number, new ShardOwnership(-1, 0, 0)) is not { Shard: >= 0 } shard)
        {
            throw new ApiProblemException(
                StatusCodes.Status404NotFound,
                string.Create(CultureInfo.InvariantCulture, $"there is no shard {number}"),
                view.Shards.Count == 0
                    ? $"this node has not read the journal yet; {ApiProblemException.Later}"
                    : string.Create(CultureInfo.InvariantCulture, $"use 0 to {view.Shards.Count - 1}")
            );
        }

        IReadOnlyList<TaskListing> tasks = await client.ListTasksAsync(new TaskFilter(Unfinished: true), http.RequestAborted);
        ShardDetails details = new(
            shard.Shard,
            shard.Owner,
            view.Find(shard.Owner)?.Address,
            shard.Term,
            [.. tasks.Where(task => task.Summary.Shard == shard.Shard).Select(lookup.View)]
        );
        await http.WriteAsync(StatusCodes.Status200OK, details, ApiJson.Default.ShardDetails);
    }

    private static ShardSummary Summarize(ClusterView view)
    {
        ILookup<int, TaskSummary> tasks = view.Tasks.ToLookup(task => task.Shard);
        return new ShardSummary(
            view.Shards.Count,
            [
                .. view
                    .Shards.GroupBy(row => row.Owner)
                    .Select(group => (Rows: group, Member: view.Find(group.Key)))
                    .Select(owner => new ShardOwner(
                        owner.Rows.Key,
                        owner.Member?.Address,
                        owner.Member?.Name ?? "",
                        owner.Rows.Count(),
                        owner.Rows.Count(row => tasks.Contains(row.Shard)),
                        owner.Rows.Sum(row => tasks[row.Shard].Count()),
                        owner.Rows.Max(row => row.Term)
                    ))
                    .OrderBy(owner => owner.Address?.ToString() ?? "", StringComparer.Ordinal)
                    .ThenBy(owner => owner.Incarnation),
            ]
        );
    }
}
