using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Asks the seeds, before the node joins, whether they belong to its cluster. Nodes find each other by the journal: without being asked, a
/// seed of another cluster, token or journal would never be met, and the node would found a cluster of its own.
/// </summary>
internal static class SeedCheck
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Asks every seed once, all at the same time. One that does not answer within 3 s, answers with another error or does not say what it
    /// is has no objection: it may not be up yet.
    /// </summary>
    /// <returns>Those that said which journal they have.</returns>
    /// <exception cref="WrongSeedException">A seed belongs to another cluster, or does not take this node's token.</exception>
    public static async Task<IReadOnlyList<SeedJournal>> RunAsync(NodeModel model, TimeProvider time, CancellationToken cancellationToken)
    {
        NodeAddress[] seeds = [.. model.SeedNodes.Where(s => s != model.Address)];
        if (seeds.Length == 0)
        {
            return [];
        }

        using HttpClient http = NodeHttp.CreateClient(Limit, model.Security.Token);
        http.MaxResponseContentBufferSize = MostBytes;
        using CancellationTokenSource limit = new(Limit, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        Answer[] answers = await Task.WhenAll(seeds.Select(s => AskAsync(http, s, either.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        if (answers.Select(a => Objection(model, a)).FirstOrDefault(o => o is not null) is { } objection)
        {
            throw new WrongSeedException(objection);
        }

        return [.. answers.Where(a => a.Version?.Journal is not null).Select(a => new SeedJournal(a.Seed, a.Version!.Journal!))];
    }

    /// <summary>Refuses a journal that is not the seeds' one: two clusters would stand where one was meant.</summary>
    /// <param name="seeds">What the seeds said.</param>
    /// <param name="identity">The identity of this node's journal.</param>
    /// <param name="name">Where this node's journal is, for the message.</param>
    /// <exception cref="WrongSeedException">A seed has another journal.</exception>
    public static void CompareJournals(IReadOnlyList<SeedJournal> seeds, string identity, string name)
    {
        if (seeds.FirstOrDefault(s => s.Identity != identity) is { } other)
        {
            throw new WrongSeedException(
                $"seed {other.Seed} has another journal than this node, whose journal is {name}: "
                    + "nodes of one cluster share one. Set actortrainer.journal "
                    + "here as it is set there (nodes on several machines need PostgreSQL), or other seed-nodes."
            );
        }
    }

    private static string? Objection(NodeModel model, Answer answer) =>
        answer.Status == HttpStatusCode.Unauthorized
            ? model.Security.Token is null
                ? $"seed {answer.Seed} wants a token, and this node has none: give it the cluster's with --token-file FILE, "
                    + "or actortrainer.security.token-file"
                : $"seed {answer.Seed} does not take this node's token: the token is not the one of this cluster. "
                    + "Give the cluster's with --token-file FILE, or actortrainer.security.token-file"
            : answer.Version?.Cluster is { } cluster && cluster != model.ClusterName
                ? $"seed {answer.Seed} belongs to the cluster '{cluster}', this node to '{model.ClusterName}'; "
                    + $"set actortrainer.cluster.name = {cluster} here, or other seed-nodes."
                : null;

    private static async Task<Answer> AskAsync(HttpClient http, NodeAddress seed, CancellationToken cancellationToken)
    {
        try
        {
            return new Answer(
                seed,
                null,
                await http.GetFromJsonAsync(new Uri($"http://{seed}/v1/version"), ApiJson.Default.VersionInfo, cancellationToken)
            );
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException or IOException or NotSupportedException or OperationCanceledException)
        {
            return new Answer(seed, (e as HttpRequestException)?.StatusCode, null);
        }
    }

    private readonly record struct Answer(NodeAddress Seed, HttpStatusCode? Status, VersionInfo? Version);
}

/// <summary>A seed and the identity of its journal.</summary>
internal sealed record SeedJournal(NodeAddress Seed, string Identity);
