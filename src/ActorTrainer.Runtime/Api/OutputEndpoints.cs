using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ActorTrainer.Runtime.Api;

/// <summary>Output lines of tasks. Each node keeps those of the runs it started; the one asked collects the others' part.</summary>
internal sealed class OutputEndpoints
{
    private readonly ITaskClient _client;
    private readonly INodeFiles _files;
    private readonly TaskLookup _lookup;
    private readonly ApiOptions _options;
    private readonly HttpClient _peers;

    public OutputEndpoints(ITaskClient client, INodeFiles files, TaskLookup lookup, ApiOptions options)
    {
        _client = client;
        _files = files;
        _lookup = lookup;
        _options = options;
        _peers = NodeHttp.CreateClient(options.PeerTimeout, options.IsUserToken ? null : options.Token);
    }

    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/tasks/{task}/runs", RunsAsync);
        routes.Get("/v1/tasks/{task}/logs", LogsAsync);
    }

    private async Task RunsAsync(HttpContext http)
    {
        TaskListing task = await _lookup.FindAsync(http.Route("task"), http.RequestAborted);
        RunOutputList list = http.Flag("local")
            ? new RunOutputList(task.Summary.Task, task.Summary.IsFinished, LocalRuns(http, task.Summary.Task), [])
            : await CollectAsync(http, task, http.RequestAborted);
        await http.WriteAsync(StatusCodes.Status200OK, list, ApiJson.Default.RunOutputList);
    }

    private async Task LogsAsync(HttpContext http)
    {
        TaskListing listing = await _lookup.FindAsync(http.Route("task"), http.RequestAborted);
        bool follow = http.Flag("follow");
        Source source = new(this, http, listing.Summary.Task, http.Flag("local"));
        long? term = http.Number("term");
        long? run = http.Number("run");
        if (term is null != run is null)
        {
            throw new ApiProblemException(StatusCodes.Status400BadRequest, "'term' and 'run' go together", "give both or none");
        }

        string? at = http.Request.Query["node"];
        NodeAddress keeper = string.IsNullOrEmpty(at) ? Self(http) : FindKeeper(at);
        IRunOutputReader? single = term is null
            ? null
            : await OpenAsync(
                source,
                new RunOutput(term.Value, (int)run!.Value, keeper, 0),
                http.Number("offset") ?? 0,
                follow,
                http.RequestAborted
            );
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await http.Response.StartAsync(http.RequestAborted);
        try
        {
            if (single is null)
            {
                await new RunOutputFollower(source, _options.Time).CopyAsync(http.Response.Body, follow, http.RequestAborted);
                return;
            }

            byte[] buffer = new byte[32 << 10];
            for (int count; (count = await single.ReadAsync(buffer, http.RequestAborted)) > 0; )
            {
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (Exception e)
            when (e is IOException or HttpRequestException or ApiProblemException or JournalUnavailableException or OutputTargetException)
        {
            // The text has begun; a broken connection tells the reader that this is not its end.
            http.Abort();
        }
        finally
        {
            if (single is not null)
            {
                await single.DisposeAsync();
            }
        }
    }

    private static async Task<IRunOutputReader> OpenAsync(
        Source source,
        RunOutput run,
        long offset,
        bool follow,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await source.OpenAsync(run, offset, follow, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new ApiProblemException(
                StatusCodes.Status502BadGateway,
                $"the node that keeps this output, {run.Node}, does not answer: {e.Message}",
                "its lines are shown again when it is back"
            );
        }
    }

    /// <summary>A node that was listed a moment ago may have been lost since: who follows asks again, and is told of another run.</summary>
    private NodeAddress FindKeeper(string at)
    {
        try
        {
            return ClusterEndpoints.FindNode(_client, at);
        }
        catch (ApiProblemException e) when (e.Status == StatusCodes.Status404NotFound && NodeAddress.TryParse(at, out _))
        {
            throw new ApiProblemException(
                StatusCodes.Status503ServiceUnavailable,
                $"node {at} is not in the cluster now: the output that it keeps cannot be read",
                ApiProblemException.Later
            );
        }
    }

    private NodeAddress Self(HttpContext http)
    {
        ClusterView view = _client.View;
        return view.Find(view.Self)?.Address
            ?? new NodeAddress(http.Connection.LocalIpAddress?.ToString() ?? "127.0.0.1", http.Connection.LocalPort);
    }

    private IReadOnlyList<RunOutput> LocalRuns(HttpContext http, TaskId task) => LocalRunReader.List(_files, task, Self(http));

    private async Task<RunOutputList> CollectAsync(HttpContext http, TaskListing task, CancellationToken cancellationToken)
    {
        NodeAddress self = Self(http);
        NodeAddress[] others =
        [
            .. _client
                .View.Members.Where(member => member.IsSeen)
                .Select(member => member.Address)
                .Where(address => address != self)
                .Distinct()
                .Order(),
        ];
        RunOutputList?[] parts = await Task.WhenAll(others.Select(other => AskAsync(other, task.Summary.Task, cancellationToken)));
        return new RunOutputList(
            task.Summary.Task,
            task.Summary.IsFinished,
            [
                .. LocalRuns(http, task.Summary.Task)
                    .Concat(parts.SelectMany(part => part?.Runs ?? []))
                    .OrderBy(run => (run.Term, run.Run))
                    .ThenBy(run => run.Node),
            ],
            [.. others.Where((_, index) => parts[index] is null)]
        );
    }

    private async Task<RunOutputList?> AskAsync(NodeAddress other, TaskId task, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.PeerTimeout);
        try
        {
            return await _peers.GetFromJsonAsync(
                $"http://{other}/v1/tasks/{task}/runs?local=true",
                ApiJson.Default.RunOutputList,
                limit.Token
            );
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException or IOException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return null;
        }
    }

    /// <summary>This node's files, and the peers' through their API.</summary>
    private sealed class Source(OutputEndpoints owner, HttpContext http, TaskId task, bool local) : IRunOutputSource
    {
        public async Task<RunOutputList> ListAsync(CancellationToken cancellationToken)
        {
            TaskListing listing = await owner._lookup.FindAsync(task.Value, cancellationToken);
            return local
                ? new RunOutputList(task, listing.Summary.IsFinished, owner.LocalRuns(http, task), [])
                : await owner.CollectAsync(http, listing, cancellationToken);
        }

        public async Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken)
        {
            if (run.Node == owner.Self(http))
            {
                return LocalRunReader.Open(owner._client, owner._files, owner._options.Time, task, run, offset, follow);
            }

            string uri = string.Create(
                CultureInfo.InvariantCulture,
                $"http://{run.Node}/v1/tasks/{task}/logs?local=true&term={run.Term}&run={run.Run}"
                    + $"&offset={offset}&follow={(follow ? "true" : "false")}"
            );
            HttpResponseMessage response = await owner._peers.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return await HttpRunReader.OpenAsync(response, cancellationToken);
        }
    }
}
