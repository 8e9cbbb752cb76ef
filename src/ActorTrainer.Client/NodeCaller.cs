using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Client;

/// <summary>Sends a request to the first known node that answers.</summary>
internal sealed class NodeCaller : IDisposable
{
    private const int PatientFactor = 4;

    private readonly ActorTrainerClientOptions _options;
    private readonly HttpClient _http;
    private readonly Lock _gate = new();
    private List<NodeAddress> _nodes;

    public NodeCaller(ActorTrainerClientOptions options)
    {
        _options = options;
        _nodes = [.. options.Nodes.Distinct()];
        _http = NodeHttp.CreateClient(options.Timeout, options.Token);
    }

    /// <summary>Known nodes; the one that answered last comes first.</summary>
    public IReadOnlyList<NodeAddress> Nodes
    {
        get
        {
            lock (_gate)
            {
                return [.. _nodes];
            }
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Adds nodes that others told of, behind those known.</summary>
    public void Learn(IEnumerable<NodeAddress> nodes)
    {
        lock (_gate)
        {
            _nodes = [.. _nodes.Concat(nodes).Distinct()];
        }
    }

    public async Task<T> CallAsync<T>(Call call, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(call, cancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        try
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken) ?? throw new JsonException("the answer is empty");
        }
        catch (JsonException e)
        {
            throw new ActorTrainerApiException(
                502,
                $"the answer of {response.RequestMessage?.RequestUri?.Authority} is not understood: {e.Message}",
                "is that an ActorTrainer node of this version?"
            );
        }
    }

    /// <summary>
    /// The answer of the first node that gives one that is not an error. When no node answers, those that were only slow, not gone, are
    /// given more time: a machine that trains with every core is slow to answer.
    /// </summary>
    public async Task<HttpResponseMessage> SendAsync(Call call, CancellationToken cancellationToken)
    {
        IReadOnlyList<NodeAddress> nodes = Nodes;
        Round first = new();
        TimeSpan timeout = call.Timeout ?? _options.Timeout;
        HttpResponseMessage? response = await AskAsync(nodes, call with { Timeout = timeout }, first, cancellationToken);
        if (response is null && first.Slow.Count > 0 && first.Refusal is null)
        {
            response = await AskAsync(first.Slow, call with { Timeout = timeout * PatientFactor }, new Round(), cancellationToken);
        }

        return response ?? throw first.Refusal ?? (Exception)new NoNodeException(nodes, first.Failure);
    }

    private async Task<HttpResponseMessage?> AskAsync(
        IReadOnlyList<NodeAddress> nodes,
        Call call,
        Round round,
        CancellationToken cancellationToken
    )
    {
        foreach (NodeAddress node in nodes)
        {
            try
            {
                HttpResponseMessage response = await SendToAsync(node, call, cancellationToken);
                Prefer(node);
                return response;
            }
            catch (ActorTrainerApiException e) when (e.IsUnavailable && (call.Repeatable || call.NotDoneIfUnavailable))
            {
                round.Refusal ??= e;
            }
            catch (Exception e) when (IsNoAnswer(e, cancellationToken))
            {
                if (!call.Repeatable && !WasNotSent(e))
                {
                    throw new UnknownOutcomeException(node, e);
                }

                round.Failure ??= e;
                if (e is OperationCanceledException)
                {
                    round.Slow.Add(node);
                }
            }
        }

        return null;
    }

    private async Task<HttpResponseMessage> SendToAsync(NodeAddress node, Call call, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(call.Method, $"http://{node}{call.Path}");
        if (call.Json is not null)
        {
            request.Content = new ByteArrayContent(call.Json);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        else if (call.Content is not null)
        {
            // A large body is sent once the node wants it: one that refuses says so, and does not break the connection.
            request.Content = call.Content();
            request.Headers.ExpectContinue = true;
        }

        using CancellationTokenSource limit = new(call.Timeout ?? _options.Timeout, _options.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        HttpCompletionOption completion = call.Streamed
            ? HttpCompletionOption.ResponseHeadersRead
            : HttpCompletionOption.ResponseContentRead;
        HttpResponseMessage response = await _http.SendAsync(request, completion, either.Token);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using HttpResponseMessage refused = response;
        throw await ReadProblemAsync(node, refused, either.Token);
    }

    private static async Task<ActorTrainerApiException> ReadProblemAsync(
        NodeAddress node,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        int status = (int)response.StatusCode;
        try
        {
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (JsonSerializer.Deserialize(body, ApiJson.Default.ApiProblem) is { Error: not null } problem)
            {
                return new ActorTrainerApiException(status, problem.Error, problem.Advice ?? "");
            }
        }
        catch (JsonException)
        {
            // Not an answer of this API; said below.
        }

        return response.StatusCode == HttpStatusCode.NotFound
            ? new ActorTrainerApiException(status, $"{node} answers, but not as an ActorTrainer node", "give another address with --node")
            : new ActorTrainerApiException(status, $"{node} answered {status} {response.ReasonPhrase}", "");
    }

    private static bool IsNoAnswer(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static bool WasNotSent(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    private void Prefer(NodeAddress node)
    {
        lock (_gate)
        {
            if (_nodes[0] != node)
            {
                _nodes = [node, .. _nodes.Where(other => other != node)];
            }
        }
    }

    /// <summary>What became of asking the nodes one after the other.</summary>
    private sealed class Round
    {
        public ActorTrainerApiException? Refusal { get; set; }

        public Exception? Failure { get; set; }

        public List<NodeAddress> Slow { get; } = [];
    }
}

/// <summary>A request to whichever node answers.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Json">The body, or null.</param>
/// <param name="Repeatable">Whether doing it twice is doing it once: then the next node is asked whatever became of the first.</param>
/// <param name="Timeout">How long one node may take; null: the client's.</param>
/// <param name="Streamed">Whether the body comes over time: the time-out then ends with the headers.</param>
internal sealed record Call(
    HttpMethod Method,
    string Path,
    byte[]? Json = null,
    bool Repeatable = true,
    TimeSpan? Timeout = null,
    bool Streamed = false
)
{
    /// <summary>
    /// Whether a node that cannot do it now (503) has done nothing, or what can be done twice: then the next node is asked, although an
    /// answer that is lost ends the call.
    /// </summary>
    public bool NotDoneIfUnavailable { get; init; }

    /// <summary>Makes a body that is no JSON, anew for each node that is asked; null: none.</summary>
    public Func<HttpContent>? Content { get; init; }
}
