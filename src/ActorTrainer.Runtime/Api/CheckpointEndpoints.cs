using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Api;

/// <summary>Checkpoints: list and verify.</summary>
internal sealed class CheckpointEndpoints(ITaskQueries queries, INodeFiles files, TaskLookup lookup)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/checkpoints", ListAsync);
        routes.Post("/v1/checkpoints/{task}/{name}/verify", VerifyAsync);
    }

    private async Task ListAsync(HttpContext http)
    {
        string? text = http.Request.Query["task"];
        TaskId? task = string.IsNullOrEmpty(text) ? null : (await lookup.FindAsync(text, http.RequestAborted)).Summary.Task;
        IReadOnlyList<CheckpointListing> checkpoints = await queries.ListCheckpointsAsync(task, http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, new CheckpointList(checkpoints), ApiJson.Default.CheckpointList);
    }

    private async Task VerifyAsync(HttpContext http)
    {
        TaskListing task = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        string name = http.Route("name");
        CheckpointVerification verification = await files.VerifyCheckpointAsync(task.Summary.Task, name, http.RequestAborted);
        if (!verification.Found)
        {
            throw new ApiProblemException(
                StatusCodes.Status404NotFound,
                $"task '{task.Summary.Name}' has no checkpoint '{name}'",
                $"list its checkpoints with 'actortrainer checkpoints ls {task.Summary.Name}'"
            );
        }

        await http.WriteAsync(StatusCodes.Status200OK, verification, ApiJson.Default.CheckpointVerification);
    }
}
