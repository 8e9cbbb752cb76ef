using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Api;

/// <summary>Tasks: submit, list, show, command, events.</summary>
internal sealed class TaskEndpoints(ITaskClient client, TaskLookup lookup, RiskCatalog risks)
{
    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Post("/v1/tasks", SubmitAsync);
        routes.Get("/v1/tasks", ListAsync);
        routes.Get("/v1/tasks/{task}", ShowAsync);
        routes.Get("/v1/tasks/{task}/events", EventsAsync);
        routes.Get("/v1/tasks/{task}/metrics", MetricsAsync);
        routes.Post("/v1/tasks/{task}/pause", http => CommandAsync(http, new PauseTask()));
        routes.Post("/v1/tasks/{task}/resume", http => CommandAsync(http, new ResumeTask()));
        routes.Post("/v1/tasks/{task}/cancel", http => CommandAsync(http, new CancelTask()));
        routes.Post("/v1/tasks/{task}/save", http => CommandAsync(http, new SaveTask()));
        routes.Post("/v1/tasks/{task}/restore", RestoreAsync);
        routes.Post("/v1/tasks/{task}/migrate", MigrateAsync);
    }

    private async Task SubmitAsync(HttpContext http)
    {
        TaskSpec spec = SpecReader.Read(await http.ReadBodyAsync());
        CommandReply reply = await client.SubmitAsync(spec, http.RequestAborted);
        if (reply is CommandAccepted { Existed: false } accepted)
        {
            http.Response.Headers.Location = $"/v1/tasks/{accepted.Task}";
            await http.WriteReplyAsync(reply, StatusCodes.Status201Created);
            return;
        }

        await http.WriteReplyAsync(reply);
    }

    private async Task ListAsync(HttpContext http)
    {
        IReadOnlyList<TaskListing> tasks = await client.ListTasksAsync(new TaskFilter(http.Flag("unfinished")), http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, new TaskList([.. tasks.Select(lookup.View)]), ApiJson.Default.TaskList);
    }

    private async Task ShowAsync(HttpContext http)
    {
        TaskListing listing = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        IReadOnlyList<EventRow> first = await client.ReadEventsAsync(listing.Summary.Task, 0, 1, http.RequestAborted);
        ClusterView view = client.View;
        ShardOwnership shard = view.Shards.FirstOrDefault(row => row.Shard == listing.Summary.Shard);
        TaskDetails details = new(
            lookup.View(listing),
            view.Find(shard.Owner)?.Address,
            shard.Term,
            first is [{ Event: TaskSubmitted submitted }] ? submitted.Spec : null
        );
        if (details.Task.LastCheckpoint is { } last && await risks.CollectAsync(http.RequestAborted) is { } atRisk)
        {
            details = details with { CheckpointAtRisk = atRisk.Any(waiting => waiting.Checkpoint == last.Name) };
        }

        await http.WriteAsync(StatusCodes.Status200OK, details, ApiJson.Default.TaskDetails);
    }

    private async Task EventsAsync(HttpContext http)
    {
        const int MaxLimit = 1000;
        long after = http.Number("after") ?? 0;
        int limit = (int)Math.Clamp(http.Number("limit") ?? MaxLimit, 1, MaxLimit);
        TaskListing listing = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        IReadOnlyList<EventRow> events = await client.ReadEventsAsync(listing.Summary.Task, after, limit, http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, new TaskEventList(listing.Summary.Task, events), ApiJson.Default.TaskEventList);
    }

    private async Task MetricsAsync(HttpContext http)
    {
        TaskListing listing = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        MetricSeries series = await client.ReadMetricsAsync(listing.Summary.Task, http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, new TaskMetrics(listing.Summary.Task, series.Points), ApiJson.Default.TaskMetrics);
    }

    private async Task CommandAsync(HttpContext http, TaskCommand command)
    {
        TaskListing listing = await lookup.FindAsync(http.Route("task"), http.RequestAborted);
        await http.WriteReplyAsync(await client.AskAsync(listing.Summary.Task, command, http.RequestAborted));
    }

    private async Task RestoreAsync(HttpContext http)
    {
        string? from = (await http.ReadBodyAsync()).Get(ApiJson.Default.RestoreBody)?.From;
        await CommandAsync(
            http,
            new RestoreTask(
                !string.IsNullOrEmpty(from)
                    ? from
                    : throw new ApiProblemException(
                        StatusCodes.Status400BadRequest,
                        "the body names no checkpoint",
                        "send {\"from\":\"c-3-1200-k3f9a2bc\"}"
                    )
            )
        );
    }

    private async Task MigrateAsync(HttpContext http)
    {
        string? to = (await http.ReadBodyAsync()).Get(ApiJson.Default.MigrateBody)?.To;
        NodeAddress? target = to is null ? null : ClusterEndpoints.FindNode(client, to);
        await CommandAsync(http, new MigrateTask(target));
    }
}
