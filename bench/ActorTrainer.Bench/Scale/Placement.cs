using ActorTrainer.Bench.Common;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Bench.Scale;

/// <summary>
/// Whether tasks are <em>placed</em>: a task is placed when the API of a node says that its shard has an owner (<c>GET /v1/shards</c>,
/// <c>tasks</c> of each owner) and that this owner is a member that is up and reached (<c>GET /v1/cluster</c>).
/// </summary>
internal static class Placement
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>How many tasks are placed.</summary>
    public static int Placed(ShardSummary shards, ClusterStatus cluster)
    {
        HashSet<long> living = [.. cluster.Members.Where(m => m is { State: MemberState.Up, Reachable: true }).Select(m => m.Incarnation)];
        return shards.Owners.Where(owner => living.Contains(owner.Incarnation)).Sum(owner => owner.Tasks);
    }

    /// <summary>Looks until so many tasks are placed at members other than the lives given.</summary>
    /// <returns>When that was seen, on the <see cref="BenchClock"/>.</returns>
    /// <exception cref="TimeoutException">They were not in time.</exception>
    public static async Task<long> WaitAsync(ActorTrainerClient client, int tasks, IReadOnlyCollection<long> dead, TimeSpan limit)
    {
        long started = BenchClock.Now;
        int placed = 0;
        string last = "";
        while (BenchClock.Now - started < limit.TotalMilliseconds)
        {
            try
            {
                ClusterStatus cluster = await client.GetClusterAsync();
                placed = Placed(
                    await client.GetShardsAsync(),
                    cluster with
                    {
                        Members = [.. cluster.Members.Where(m => !dead.Contains(m.Incarnation))],
                    }
                );
                last = "";
                if (placed >= tasks)
                {
                    return BenchClock.Now;
                }
            }
            catch (Exception e) when (ActorTrainerClient.IsTransient(e))
            {
                // Nodes that start or look for lost ones may not answer now.
                last = $"; last answer: {e.Message}";
            }

            await Task.Delay(Look, TimeProvider.System);
        }

        throw new TimeoutException($"{placed} of {tasks} tasks are placed after {limit.TotalSeconds:0} s{last}");
    }

    /// <summary>
    /// Waits until each of some tasks answers a command: <c>save</c>, which a task that does not train refuses (409) and which changes
    /// nothing then. The answer comes from the task itself, so it has been taken up where it was placed.
    /// </summary>
    /// <returns>When all had answered, on the <see cref="BenchClock"/>.</returns>
    public static async Task<long> WaitForAnswersAsync(ActorTrainerClient client, IReadOnlyList<string> tasks, TimeSpan limit)
    {
        long started = BenchClock.Now;
        foreach (string task in tasks)
        {
            while (!await AnswersAsync(client, task))
            {
                if (BenchClock.Now - started > limit.TotalMilliseconds)
                {
                    throw new TimeoutException($"task {task} does not answer a command after {limit.TotalSeconds:0} s");
                }

                await Task.Delay(Look, TimeProvider.System);
            }
        }

        return BenchClock.Now;
    }

    private static async Task<bool> AnswersAsync(ActorTrainerClient client, string task)
    {
        try
        {
            await client.SaveAsync(task);
            return true;
        }
        catch (ActorTrainerApiException e) when (e.Status == 409)
        {
            return true;
        }
        catch (Exception e) when (ActorTrainerClient.IsTransient(e) || e is UnknownOutcomeException)
        {
            return false;
        }
    }
}
