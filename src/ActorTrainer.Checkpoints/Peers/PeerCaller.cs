using System.Globalization;
using System.Net;
using System.Text.Json;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Asks other nodes for files. Whatever is not the answer of a node that looked into its folder is a
/// <see cref="CheckpointStoreException"/>: silence never says that a file is missing.
/// </summary>
internal sealed class PeerCaller(HttpClient http, TimeProvider time)
{
    /// <summary>How long a node may take to answer.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    /// <summary>How long bytes may stand still.</summary>
    public static readonly TimeSpan StandsStillFor = TimeSpan.FromSeconds(30);

    public TimeProvider Time => time;

    /// <summary>A file's length; null: the node has not got it.</summary>
    public Task<long?> LengthAsync(NodeAddress node, TaskId task, string file, CancellationToken cancellationToken) =>
        AskAsync(
            node,
            HttpMethod.Head,
            PeerProtocol.PathOf(task, file),
            (response, _) => Task.FromResult(IsThere(node, response) ? LengthOf(node, response) : (long?)null),
            cancellationToken
        );

    /// <summary>Reads what stands at an offset; null: the node has not got the file.</summary>
    /// <returns>How many bytes, fewer than asked for only at the end of the file.</returns>
    public Task<int?> ReadAsync(
        NodeAddress node,
        TaskId task,
        string file,
        long offset,
        Memory<byte> target,
        CancellationToken cancellationToken
    ) =>
        AskAsync<int?>(
            node,
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"{PeerProtocol.PathOf(task, file)}?offset={offset}&count={target.Length}"),
            async (response, limit) =>
            {
                if (!IsThere(node, response))
                {
                    return null;
                }

                await using Stream body = await response.Content.ReadAsStreamAsync(limit);
                return await ReadAsync(body, target, limit);
            },
            cancellationToken
        );

    /// <summary>A whole small file; null: the node has not got it.</summary>
    public Task<byte[]?> ReadWholeAsync(NodeAddress node, TaskId task, string file, CancellationToken cancellationToken) =>
        AskAsync<byte[]?>(
            node,
            HttpMethod.Get,
            PeerProtocol.PathOf(task, file),
            async (response, limit) =>
            {
                if (!IsThere(node, response))
                {
                    return null;
                }

                // What is too long to be a manifest has other bytes than one, which its hash then says.
                byte[] bytes = new byte[Math.Min(LengthOf(node, response), PeerProtocol.LongestManifest)];
                await using Stream body = await response.Content.ReadAsStreamAsync(limit);
                int read = await ReadAsync(body, bytes, limit);
                return read == bytes.Length ? bytes : throw NoAnswer(node, "the file did not come whole");
            },
            cancellationToken
        );

    /// <summary>Whether a node has a bundle.</summary>
    public Task<bool> HasBundleAsync(NodeAddress node, string hash, CancellationToken cancellationToken) =>
        AskAsync(
            node,
            HttpMethod.Head,
            PeerProtocol.PathOfBundle(hash),
            (response, _) => Task.FromResult(IsThere(node, response)),
            cancellationToken
        );

    /// <summary>Reads a bundle's archive, however long that takes while bytes come; null: the node has not got it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="hash">The bundle's.</param>
    /// <param name="take">Asks for the bytes, which are 0 at the end.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public Task<T?> ReadBundleAsync<T>(
        NodeAddress node,
        string hash,
        Func<Func<Memory<byte>, CancellationToken, ValueTask<int>>, Task<T>> take,
        CancellationToken cancellationToken
    )
        where T : class =>
        AskAsync(
            node,
            HttpMethod.Get,
            PeerProtocol.PathOfBundle(hash),
            async (response, late, limit) =>
            {
                if (!IsThere(node, response))
                {
                    return null;
                }

                long left = LengthOf(node, response);
                await using Stream body = await response.Content.ReadAsStreamAsync(limit);
                return await take(
                    async (target, _) =>
                    {
                        late.CancelAfter(StandsStillFor);
                        int read = await body.ReadAsync(target, limit);
                        left -= read;
                        return read > 0 || left == 0 ? read : throw new IOException("the bundle did not come whole");
                    }
                );
            },
            cancellationToken
        );

    /// <summary>The files of a task that a node has.</summary>
    public Task<IReadOnlyList<PeerFile>> ListAsync(NodeAddress node, TaskId task, CancellationToken cancellationToken) =>
        AskAsync(
            node,
            HttpMethod.Get,
            PeerProtocol.PathOf(task),
            async (response, limit) =>
            {
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    throw await RefusedAsync(node, response, limit);
                }

                await using Stream body = await response.Content.ReadAsStreamAsync(limit);
                PeerFileList? list = await JsonSerializer.DeserializeAsync(body, PeerJsonContext.Default.PeerFileList, limit);
                return list?.Files ?? throw NoAnswer(node, "its list is empty");
            },
            cancellationToken
        );

    /// <summary>Has a node remove a file.</summary>
    public Task DeleteAsync(NodeAddress node, TaskId task, string file, CancellationToken cancellationToken) =>
        AskAsync(
            node,
            HttpMethod.Delete,
            PeerProtocol.PathOf(task, file),
            async (response, limit) =>
                response.StatusCode == HttpStatusCode.NoContent ? true : throw await RefusedAsync(node, response, limit),
            cancellationToken
        );

    /// <summary>Sends a file. It is durable there when this ends.</summary>
    /// <param name="node">The node.</param>
    /// <param name="path">The file's, as <see cref="PeerProtocol"/> gives it.</param>
    /// <param name="content">Writes its bytes.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task SendAsync(NodeAddress node, string path, HttpContent content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Put, $"http://{node}{path}") { Content = content };

        // A node that refuses says so before the bytes are sent.
        request.Headers.ExpectContinue = true;
        try
        {
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode != HttpStatusCode.Created)
            {
                throw await RefusedAsync(node, response, cancellationToken);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw NoAnswer(node, e.Message, e);
        }
    }

    public static CheckpointStoreException NoAnswer(NodeAddress node, string why, Exception? inner = null) =>
        new(
            $"{node} gives no answer about copies of checkpoints: {why.TrimEnd('.')}. "
                + "See 'actortrainer cluster show'; every node of a cluster has to have the same token and version.",
            inner
        );

    private Task<T> AskAsync<T>(
        NodeAddress node,
        HttpMethod method,
        string path,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    ) => AskAsync(node, method, path, (response, _, limit) => read(response, limit), cancellationToken);

    /// <param name="node">The node.</param>
    /// <param name="method">What it is asked for.</param>
    /// <param name="path">And of what.</param>
    /// <param name="read">Reads the answer; what sets its limit may give it more time as it goes on.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    private async Task<T> AskAsync<T>(
        NodeAddress node,
        HttpMethod method,
        string path,
        Func<HttpResponseMessage, CancellationTokenSource, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    )
    {
        using CancellationTokenSource late = new(AnswerWithin, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using HttpRequestMessage request = new(method, $"http://{node}{path}");
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);

            // From here on the body has its own time.
            late.CancelAfter(StandsStillFor);
            return await read(response, late, limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(node, "it did not answer in time", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            throw NoAnswer(node, e.Message, e);
        }
    }

    private static ValueTask<int> ReadAsync(Stream body, Memory<byte> target, CancellationToken cancellationToken) =>
        body.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellationToken);

    private static long LengthOf(NodeAddress node, HttpResponseMessage response) =>
        response.Content.Headers.ContentLength ?? throw NoAnswer(node, "it does not say how long the file is");

    private static bool IsThere(NodeAddress node, HttpResponseMessage response)
    {
        string said = response.Headers.TryGetValues(PeerProtocol.AnswerHeader, out IEnumerable<string>? values)
            ? string.Join(',', values)
            : "";
        return (response.StatusCode, said) switch
        {
            (HttpStatusCode.OK, PeerProtocol.Present) => true,
            (HttpStatusCode.NotFound, PeerProtocol.Absent) => false,
            _ => throw NoAnswer(node, $"it answered {(int)response.StatusCode} {response.ReasonPhrase}"),
        };
    }

    private static async Task<CheckpointStoreException> RefusedAsync(
        NodeAddress node,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        string why = "";
        try
        {
            using JsonDocument problem = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            if (problem.RootElement.ValueKind == JsonValueKind.Object && problem.RootElement.TryGetProperty("error", out JsonElement error))
            {
                why = $": {error}";
            }
        }
        catch (JsonException)
        {
            // Not an answer of this API.
        }

        return NoAnswer(node, $"it answered {(int)response.StatusCode} {response.ReasonPhrase}{why}");
    }
}
