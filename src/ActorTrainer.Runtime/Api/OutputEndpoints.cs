using System.Globalization;
using System.Text;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Output lines of tasks. Each node keeps those of the runs it started, and the store has them too; the one asked collects it all.
/// </summary>
internal sealed class OutputEndpoints
{
    private readonly ITaskClient _client;
    private readonly INodeFiles _files;
    private readonly TaskLookup _lookup;
    private readonly ApiOptions _options;
    private readonly HttpClient _peers;
    private readonly OutputCatalog _catalog;

    public OutputEndpoints(ITaskClient client, INodeFiles files, TaskLookup lookup, ApiOptions options)
    {
        _client = client;
        _files = files;
        _lookup = lookup;
        _options = options;
        _peers = NodeHttp.CreateClient(options.PeerTimeout, options.IsUserToken ? null : options.Token);
        _catalog = new OutputCatalog(client, files, options, _peers);
    }

    public void Map(ApiEndpoints.Routes routes)
    {
        routes.Get("/v1/tasks/{task}/runs", RunsAsync);
        routes.Get("/v1/tasks/{task}/logs", LogsAsync);
    }

    private async Task RunsAsync(HttpContext http)
    {
        TaskListing task = await _lookup.FindAsync(http.Route("task"), http.RequestAborted);
        Source source = new(this, http, task.Summary.Task, http.Flag("local"));
        RunOutputList list = await source.ListAsync(http.Flag("all"), http.RequestAborted);
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
        if (single?.Offset is { } offset)
        {
            http.Response.Headers[HttpRunReader.OffsetHeader] = offset.ToString(CultureInfo.InvariantCulture);
        }

        if (single?.Missing is { } missing)
        {
            http.Response.Headers[HttpRunReader.MissingHeader] = Uri.EscapeDataString(missing);
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await http.Response.StartAsync(http.RequestAborted);
        try
        {
            if (single is null)
            {
                RunOutputFollower follower = new(source, _options.Time)
                {
                    Say = text => http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"[{text}]\n"), http.RequestAborted),
                };
                await follower.CopyAsync(http.Response.Body, follow, http.RequestAborted);
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

    /// <summary>One that is not a member any more is found too: the store may have what it had.</summary>
    private NodeAddress FindKeeper(string at)
    {
        try
        {
            return ClusterEndpoints.FindNode(_client, at);
        }
        catch (ApiProblemException e) when (e.Status == StatusCodes.Status404NotFound && NodeAddress.TryParse(at, out NodeAddress address))
        {
            return address;
        }
    }

    private NodeAddress Self(HttpContext http)
    {
        ClusterView view = _client.View;
        return view.Find(view.Self)?.Address
            ?? new NodeAddress(http.Connection.LocalIpAddress?.ToString() ?? "127.0.0.1", http.Connection.LocalPort);
    }

    /// <summary>This node's files, the peers' through their API, and the store.</summary>
    private sealed class Source(OutputEndpoints owner, HttpContext http, TaskId task, bool local) : IRunOutputSource
    {
        public async Task<RunOutputList> ListAsync(bool all, CancellationToken cancellationToken)
        {
            TaskSummary summary = (await owner._lookup.FindAsync(task.Value, cancellationToken)).Summary;
            return local
                ? new RunOutputList(task, summary.IsFinished, owner._catalog.Local(task, owner.Self(http)), [])
                : await owner._catalog.CollectAsync(summary, owner.Self(http), all, cancellationToken);
        }

        public async Task<IRunOutputReader> OpenAsync(RunOutput run, long offset, bool follow, CancellationToken cancellationToken)
        {
            if (local)
            {
                return OpenHere(run, offset, follow);
            }

            OutputKey key = new(task, run.Term, run.Run, run.Node);
            StoredRun? stored = await owner._catalog.FindStoredAsync(key, cancellationToken);
            IRunOutputReader? live = await OpenLiveAsync(run, offset, follow, stored, cancellationToken);
            return stored is null || (live is not null && !(live.Offset > offset))
                ? live!
                : StoredRunReader.Open(owner._options.Outputs!, stored, offset, live);
        }

        private LocalRunReader OpenHere(RunOutput run, long offset, bool follow) =>
            LocalRunReader.Open(owner._client, owner._files, owner._options.Time, task, run, offset, follow);

        /// <summary>From the node that had the run; null: what the store has will do.</summary>
        private async Task<IRunOutputReader?> OpenLiveAsync(
            RunOutput run,
            long offset,
            bool follow,
            StoredRun? stored,
            CancellationToken cancellationToken
        )
        {
            if (run.Node == owner.Self(http))
            {
                LocalRunReader here = OpenHere(run, offset, follow);
                if (stored is null || here.HasFiles)
                {
                    return here;
                }

                await here.DisposeAsync();
                return null;
            }

            if (!owner._client.View.Members.Any(member => member.IsSeen && member.Address == run.Node))
            {
                // A node that was listed a moment ago may have been lost since: who follows asks again, and is told of another run.
                return stored is not null
                    ? null
                    : throw new ApiProblemException(
                        StatusCodes.Status503ServiceUnavailable,
                        $"node {run.Node} is not in the cluster now: the output that it keeps cannot be read",
                        ApiProblemException.Later
                    );
            }

            string uri = string.Create(
                CultureInfo.InvariantCulture,
                $"http://{run.Node}/v1/tasks/{task}/logs?local=true&term={run.Term}&run={run.Run}"
                    + $"&offset={offset}&follow={(follow ? "true" : "false")}"
            );
            try
            {
                HttpResponseMessage response = await owner._peers.GetAsync(
                    uri,
                    HttpCompletionOption.ResponseHeadersRead,
                    cancellationToken
                );
                HttpRunReader there = await HttpRunReader.OpenAsync(response, cancellationToken);
                if (stored is null || there.Offset is not null)
                {
                    return there;
                }

                await there.DisposeAsync();
                return null;
            }
            catch (HttpRequestException) when (stored is not null && (!follow || stored.Total is not null))
            {
                return null;
            }
        }
    }
}
