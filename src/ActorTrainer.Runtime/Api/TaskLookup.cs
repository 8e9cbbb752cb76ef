using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Runtime.Api;

/// <summary>Reads tasks from the journal for the API, with the live progress of those that run on this node.</summary>
internal sealed class TaskLookup(ITaskQueries queries, INodeFiles files)
{
    /// <summary>The task with this id or name.</summary>
    /// <exception cref="ApiProblemException">404: unknown or ambiguous.</exception>
    /// <exception cref="JournalUnavailableException">The journal cannot be read now.</exception>
    public async Task<TaskListing> FindAsync(string idOrName, CancellationToken cancellationToken)
    {
        List<TaskListing> found = [];
        if (TaskId.TryParse(idOrName, out TaskId id))
        {
            found.AddRange(await queries.ListTasksAsync(new TaskFilter(Task: id), cancellationToken));
        }

        foreach (TaskListing named in await queries.ListTasksAsync(new TaskFilter(Name: idOrName), cancellationToken))
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
                "use the id of the one you mean"
            ),
        };
    }

    public TaskView View(TaskListing listing)
    {
        TaskSummary summary = listing.Summary;
        TaskProgress progress = summary.Progress;
        bool live =
            summary.Status == TaskStatus.Running
            && files.LiveProgress.TryGetValue(summary.Task, out TaskProgress? newest)
            && newest.Step >= summary.Progress.Step;
        if (live)
        {
            progress = files.LiveProgress.GetValueOrDefault(summary.Task, progress);
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
            listing.ChangedAt
        )
        {
            Results = summary.Results,
            Warning = summary.Warning,
            Pace = summary.Pace,
            LastCheckpointAt = summary.LastCheckpointAt,
        };
    }

    private async Task<ApiProblemException> UnknownAsync(string idOrName, CancellationToken cancellationToken)
    {
        IReadOnlyList<TaskListing> all = await queries.ListTasksAsync(new TaskFilter(), cancellationToken);
        IReadOnlyList<string> near = NearestNames.Find(idOrName, all.Select(task => task.Summary.Name));
        string advice =
            near.Count > 0 ? $"did you mean {string.Join(" or ", near)}?"
            : all.Count == 0 ? "there are no tasks yet; submit one"
            : "list the tasks with 'actortrainer tasks ls'";
        return new ApiProblemException(StatusCodes.Status404NotFound, $"there is no task '{idOrName}'", advice);
    }
}
