using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>Reads tasks from the journal for the API, with the live progress of those that run on this node.</summary>
internal sealed class TaskLookup(INodeService node)
{
    /// <summary>The task with this id or name.</summary>
    /// <exception cref="ApiProblemException">404: unknown or ambiguous; 503: the journal does not answer.</exception>
    public async Task<TaskListing> FindAsync(string idOrName, CancellationToken cancellationToken)
    {
        List<TaskListing> found = [];
        if (TaskId.TryParse(idOrName, out TaskId id))
        {
            found.AddRange(await ListAsync(new ListTasksRequest(Task: id), cancellationToken));
        }

        foreach (TaskListing named in await ListAsync(new ListTasksRequest(Name: idOrName), cancellationToken))
        {
            if (found.All(other => other.Summary.Task != named.Summary.Task))
            {
                found.Add(named);
            }
        }

        return found.Count switch
        {
            1 => found[0],
            0 => throw await UnknownAsync(idOrName, cancellationToken),
            _ => throw new ApiProblemException(
                StatusCodes.Status404NotFound,
                $"'{idOrName}' is the id of one task and the name of another: {string.Join(", ", found.Select(task => task.Summary.Task))}",
                "use the id of the one you mean"),
        };
    }

    public async Task<IReadOnlyList<TaskListing>> ListAsync(ListTasksRequest request, CancellationToken cancellationToken) =>
        (await ReadAsync<ListTasksReply>(request, cancellationToken)).Tasks;

    public async Task<T> ReadAsync<T>(JournalRequest request, CancellationToken cancellationToken)
        where T : JournalReply =>
        await node.ReadAsync(request, cancellationToken) switch
        {
            T reply => reply,
            JournalFailed failed => throw new ApiProblemException(
                StatusCodes.Status503ServiceUnavailable,
                $"the journal cannot be read now: {failed.Reason}",
                "training goes on; ask again in a moment"),
            JournalReply other => throw new InvalidOperationException($"{request.GetType().Name} was answered by {other.GetType().Name}"),
        };

    public TaskView View(TaskListing listing)
    {
        TaskSummary summary = listing.Summary;
        TaskProgress progress = summary.Progress;
        bool live = summary.Status == TaskStatus.Running &&
            node.LiveProgress.TryGetValue(summary.Task, out TaskProgress? newest) &&
            newest.Step >= summary.Progress.Step;
        if (live)
        {
            progress = node.LiveProgress.GetValueOrDefault(summary.Task, progress);
        }

        return new TaskView(
            summary.Task,
            summary.Name,
            summary.Status,
            summary.IsFinished,
            summary.Detail,
            summary.Priority,
            summary.Slots,
            summary.Shard,
            summary.Node,
            progress,
            live,
            summary.Runs,
            summary.Failures,
            summary.LastCheckpoint,
            summary.Alone,
            summary.ExitCode,
            listing.SubmittedAt,
            listing.ChangedAt)
        {
            Results = summary.Results,
        };
    }

    private async Task<ApiProblemException> UnknownAsync(string idOrName, CancellationToken cancellationToken)
    {
        IReadOnlyList<TaskListing> all = await ListAsync(new ListTasksRequest(), cancellationToken);
        IReadOnlyList<string> near = NearestNames.Find(idOrName, all.Select(task => task.Summary.Name));
        string advice = near.Count > 0
            ? $"did you mean {string.Join(" or ", near)}?"
            : all.Count == 0 ? "there are no tasks yet; submit one" : "list the tasks with 'actortrainer tasks ls'";
        return new ApiProblemException(StatusCodes.Status404NotFound, $"there is no task '{idOrName}'", advice);
    }
}
