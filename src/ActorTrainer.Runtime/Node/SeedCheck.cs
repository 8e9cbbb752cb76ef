using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Asks the seeds, before the node joins, whether they belong to its cluster: one of another would wait for ever.
/// </summary>
internal static class SeedCheck
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Asks every seed once, all at the same time. One that does not answer within a second, answers with an error or does not say what it is has no
    /// objection: it may not be up yet, and the engine has its own ways to be refused.
    /// </summary>
    /// <exception cref="WrongSeedException">A seed belongs to another cluster.</exception>
    public static async Task RunAsync(NodeModel model, TimeProvider time, CancellationToken cancellationToken)
    {
        NodeAddress[] seeds = [.. model.SeedNodes.Where(s => s != model.Address)];
        if (seeds.Length == 0)
        {
            return;
        }

        using HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = Limit, UseProxy = false }) { MaxResponseContentBufferSize = MostBytes };
        if (model.Security.Token is { } token)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        using CancellationTokenSource limit = new(Limit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        VersionInfo?[] answers = await Task.WhenAll(seeds.Select(s => AskAsync(http, s, either.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        for (int i = 0; i < seeds.Length; i++)
        {
            if (answers[i] is { } answer && Objection(model, seeds[i], answer) is { } objection)
            {
                throw new WrongSeedException(objection);
            }
        }
    }

    private static string? Objection(NodeModel model, NodeAddress seed, VersionInfo answer) =>
        answer.Cluster is { } cluster && cluster != model.ClusterName
            ? $"seed {seed} belongs to the cluster '{cluster}', this node to '{model.ClusterName}'; " +
                $"set actortrainer.cluster.name = {cluster} here, or other seed-nodes."
            : null;

    private static async Task<VersionInfo?> AskAsync(HttpClient http, NodeAddress seed, CancellationToken cancellationToken)
    {
        try
        {
            return await http.GetFromJsonAsync(new Uri($"http://{seed}/v1/version"), ApiJson.Default.VersionInfo, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or IOException or NotSupportedException or OperationCanceledException)
        {
            return null;
        }
    }
}
