using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Client;

/// <summary>
/// Talks to a cluster through the HTTP API of any of its nodes. A request goes to the node that answered last; when that one does not
/// answer, to the next one known. A task may be named by its id or its name. Safe for use by several threads.
/// </summary>
/// <remarks>
/// Every method throws <see cref="NoNodeException"/> when no node answers and <see cref="ActorTrainerApiException"/> when the cluster
/// refuses; commands other than submit also <see cref="UnknownOutcomeException"/>.
/// </remarks>
public sealed partial class ActorTrainerClient : IDisposable
{
    private static readonly TimeSpan LongTimeout = TimeSpan.FromHours(1);
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(30);

    private readonly ActorTrainerClientOptions _options;
    private readonly NodeCaller _caller;

    /// <summary>A client of the cluster that the nodes belong to. Nothing is sent yet.</summary>
    public ActorTrainerClient(ActorTrainerClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Nodes.Count == 0)
        {
            throw new ArgumentException("no node is given", nameof(options));
        }

        _options = options;
        _caller = new NodeCaller(options);
    }

    /// <summary>Known nodes; the one that answered last comes first.</summary>
    public IReadOnlyList<NodeAddress> KnownNodes => _caller.Nodes;

    /// <inheritdoc />
    public void Dispose() => _caller.Dispose();

    /// <summary>Asks for the members and remembers their addresses, for when the nodes given do not answer any more.</summary>
    public async Task<ClusterStatus> LearnNodesAsync(CancellationToken cancellationToken = default) =>
        await GetClusterAsync(cancellationToken);

    /// <summary>Submits a task. The same name and specification give the same task (<see cref="CommandAccepted.Existed"/>).</summary>
    public Task<CommandAccepted> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken = default) =>
        CommandAsync("/v1/tasks", Body(spec, ApiJson.Default.TaskSpec), repeatable: true, CommandTimeout, cancellationToken);

    /// <summary>Whether the cluster has a bundle: a task that brings it may be submitted then.</summary>
    /// <param name="hash">The bundle's, 64 lower-case hexadecimal digits.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task<bool> HasBundleAsync(string hash, CancellationToken cancellationToken = default)
    {
        try
        {
            using HttpResponseMessage found = await _caller.SendAsync(new Call(HttpMethod.Head, BundlePath(hash)), cancellationToken);
            return true;
        }
        catch (ActorTrainerApiException e) when (e.Status == (int)HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Gives the cluster a bundle. Doing it twice is doing it once.</summary>
    /// <param name="hash">What the archive's content has to have.</param>
    /// <param name="write">Writes the archive; called once more when another node has to be asked.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public Task<BundleSpec> UploadBundleAsync(
        string hash,
        Func<Stream, CancellationToken, Task> write,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(write);
        return _caller.CallAsync(
            new Call(HttpMethod.Put, BundlePath(hash), Timeout: LongTimeout) { Content = () => new WrittenContent(write) },
            ApiJson.Default.BundleSpec,
            cancellationToken
        );
    }

    /// <summary>Tasks, newest first.</summary>
    public Task<TaskList> ListTasksAsync(bool unfinished = false, CancellationToken cancellationToken = default) =>
        GetAsync(unfinished ? "/v1/tasks?unfinished=true" : "/v1/tasks", ApiJson.Default.TaskList, cancellationToken);

    /// <summary>One task.</summary>
    public Task<TaskDetails> GetTaskAsync(string task, CancellationToken cancellationToken = default) =>
        GetAsync(TaskPath(task), ApiJson.Default.TaskDetails, cancellationToken);

    /// <summary>Saves, stops the worker and waits for resume.</summary>
    public Task<CommandAccepted> PauseAsync(string task, CancellationToken cancellationToken = default) =>
        TaskCommandAsync(task, "pause", cancellationToken);

    /// <summary>Lets a paused, held or failed task go on.</summary>
    public Task<CommandAccepted> ResumeAsync(string task, CancellationToken cancellationToken = default) =>
        TaskCommandAsync(task, "resume", cancellationToken);

    /// <summary>Ends the task for good.</summary>
    public Task<CommandAccepted> CancelAsync(string task, CancellationToken cancellationToken = default) =>
        TaskCommandAsync(task, "cancel", cancellationToken);

    /// <summary>Takes a checkpoint now.</summary>
    public Task<CommandAccepted> SaveAsync(string task, CancellationToken cancellationToken = default) =>
        TaskCommandAsync(task, "save", cancellationToken);

    /// <summary>Moves the task to a node given by address or name; null: the policy chooses.</summary>
    public Task<CommandAccepted> MigrateAsync(string task, string? to = null, CancellationToken cancellationToken = default) =>
        CommandAsync(
            $"{TaskPath(task)}/migrate",
            Body(new MigrateBody(to), ApiJson.Default.MigrateBody),
            repeatable: false,
            CommandTimeout,
            cancellationToken
        );

    /// <summary>Events after a sequence, at most 1000.</summary>
    public Task<TaskEventList> ListEventsAsync(string task, long after = 0, CancellationToken cancellationToken = default) =>
        GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"{TaskPath(task)}/events?after={after}"),
            ApiJson.Default.TaskEventList,
            cancellationToken
        );

    /// <summary>Output kept of the task's runs on all reachable nodes.</summary>
    public Task<RunOutputList> ListRunsAsync(string task, CancellationToken cancellationToken = default) =>
        GetAsync($"{TaskPath(task)}/runs", ApiJson.Default.RunOutputList, cancellationToken);

    /// <summary>
    /// Copies the output of all runs, oldest first. With <paramref name="follow"/> it goes on until the task is finished, from run to run
    /// and node to node, and bears a time without any node (<see cref="ActorTrainerClientOptions.Patience"/>).
    /// </summary>
    public Task CopyOutputAsync(string task, Stream target, bool follow, CancellationToken cancellationToken = default) =>
        CopyOutputAsync(task, target, follow, _ => { }, cancellationToken);

    /// <summary>As above; <paramref name="missing"/> is told of output that cannot be had, one sentence each, at its place.</summary>
    public Task CopyOutputAsync(string task, Stream target, bool follow, Action<string> missing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(missing);
        RunOutputFollower follower = new(new Source(this, task), _options.Time)
        {
            Patience = _options.Patience,
            IsTransient = IsTransient,
            Say = text =>
            {
                missing(text);
                return ValueTask.CompletedTask;
            },
        };
        return follower.CopyAsync(target, follow, cancellationToken);
    }

    /// <summary>How a task's metrics went, over all of its runs; some seconds behind while it trains.</summary>
    public Task<TaskMetrics> GetMetricsAsync(string task, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/tasks/{Uri.EscapeDataString(task)}/metrics", ApiJson.Default.TaskMetrics, cancellationToken);

    /// <summary>The cluster as the answering node sees it; its members are remembered.</summary>
    public Task<ClusterStatus> GetClusterAsync(CancellationToken cancellationToken = default) =>
        GetClusterAsync(atRisk: false, cancellationToken);

    /// <summary>The same.</summary>
    /// <param name="atRisk">Whether the nodes are asked for what is at risk, which may take as long as one of them does not answer.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task<ClusterStatus> GetClusterAsync(bool atRisk, CancellationToken cancellationToken)
    {
        ClusterStatus status = await GetAsync(
            atRisk ? "/v1/cluster?atRisk=true" : "/v1/cluster",
            ApiJson.Default.ClusterStatus,
            cancellationToken
        );
        _caller.Learn(
            status
                .Members.Where(member => member.State is not (MemberState.Down or MemberState.Removed))
                .Where(member => member.State is not null || member.Status is not (MemberStatus.Down or MemberStatus.Removed))
                .Select(member => member.Address)
        );
        return status;
    }

    /// <summary>Has a node save, hand over and leave; returns when it is empty. Its process ends then.</summary>
    public Task DrainAsync(string node, CancellationToken cancellationToken = default) =>
        NodeCommandAsync("drain", node, LongTimeout, cancellationToken);

    /// <summary>Lets a node take no new tasks.</summary>
    public Task CordonAsync(string node, CancellationToken cancellationToken = default) =>
        NodeCommandAsync("cordon", node, CommandTimeout, cancellationToken);

    /// <summary>Lets a node take tasks again.</summary>
    public Task UncordonAsync(string node, CancellationToken cancellationToken = default) =>
        NodeCommandAsync("uncordon", node, CommandTimeout, cancellationToken);

    /// <summary>Who owns how many shards.</summary>
    public Task<ShardSummary> GetShardsAsync(CancellationToken cancellationToken = default) =>
        GetAsync("/v1/shards", ApiJson.Default.ShardSummary, cancellationToken);

    /// <summary>One shard.</summary>
    public Task<ShardDetails> GetShardAsync(int shard, CancellationToken cancellationToken = default) =>
        GetAsync(string.Create(CultureInfo.InvariantCulture, $"/v1/shards?shard={shard}"), ApiJson.Default.ShardDetails, cancellationToken);

    /// <summary>The shard of a task.</summary>
    public Task<ShardDetails> GetShardOfAsync(string task, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/shards?task={Uri.EscapeDataString(task)}", ApiJson.Default.ShardDetails, cancellationToken);

    /// <summary>What answers.</summary>
    public Task<VersionInfo> GetVersionAsync(CancellationToken cancellationToken = default) =>
        GetAsync("/v1/version", ApiJson.Default.VersionInfo, cancellationToken);

    /// <summary>Whether an exception of this client may pass by itself.</summary>
    public static bool IsTransient(Exception exception) =>
        exception is NoNodeException or IOException or HttpRequestException or ActorTrainerApiException { IsUnavailable: true };

    private static string TaskPath(string task) => $"/v1/tasks/{Uri.EscapeDataString(task)}";

    private static string BundlePath(string hash) => $"/v1/bundles/{Uri.EscapeDataString(hash)}";

    private static byte[] Body<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        _caller.CallAsync(new Call(HttpMethod.Get, path), type, cancellationToken);

    private Task<CommandAccepted> TaskCommandAsync(string task, string command, CancellationToken cancellationToken) =>
        CommandAsync($"{TaskPath(task)}/{command}", null, repeatable: false, CommandTimeout, cancellationToken);

    private Task NodeCommandAsync(string command, string node, TimeSpan timeout, CancellationToken cancellationToken) =>
        _caller.CallAsync(
            new Call(
                HttpMethod.Post,
                $"/v1/cluster/{command}",
                Body(new NodeBody(node), ApiJson.Default.NodeBody),
                Repeatable: false,
                timeout
            )
            {
                NotDoneIfUnavailable = true,
            },
            ApiJson.Default.NodeBody,
            cancellationToken
        );

    private async Task<CommandAccepted> CommandAsync(
        string path,
        byte[]? json,
        bool repeatable,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        CommandReply reply = await _caller.CallAsync(
            new Call(HttpMethod.Post, path, json, repeatable, timeout),
            ApiJson.Default.CommandReply,
            cancellationToken
        );
        return reply as CommandAccepted ?? throw new ActorTrainerApiException(502, "the node answered a command with something else", "");
    }

    /// <summary>Output through the API; which node keeps a run is the asked node's business.</summary>
    private sealed class Source(ActorTrainerClient client, string task) : IRunOutputSource
    {
        public Task<RunOutputList> ListAsync(bool all, CancellationToken cancellationToken) =>
            client.GetAsync(
                all ? $"{TaskPath(task)}/runs?all=true" : $"{TaskPath(task)}/runs",
                ApiJson.Default.RunOutputList,
                cancellationToken
            );

        public async Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken)
        {
            string path = string.Create(
                CultureInfo.InvariantCulture,
                $"{TaskPath(task)}/logs?node={run.Node}&term={run.Term}&run={run.Run}&offset={offset}&follow={(follow ? "true" : "false")}"
            );
            return await HttpRunReader.OpenAsync(
                await client._caller.SendAsync(new Call(HttpMethod.Get, path, Streamed: true), cancellationToken),
                cancellationToken
            );
        }
    }
}
