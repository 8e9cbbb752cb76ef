using System.Net.Http.Json;
using System.Text.Json;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Api;

/// <summary>Which checkpoints the loss of one machine would lose: every node knows of its own what is not copied yet.</summary>
internal sealed class RiskCatalog(ITaskClient client, INodeFiles files, ApiOptions options)
{
    private readonly HttpClient _peers = NodeHttp.CreateClient(options.PeerTimeout, options.IsUserToken ? null : options.Token);

    /// <summary>What this node has.</summary>
    public UncopiedCheckpoints Local => new(files.UncopiedCheckpoints);

    /// <summary>
    /// What all nodes that answer have; null: the store has no second place, so that nobody knows how safe its only one is. Nodes of one
    /// cluster are configured alike, and only then is another one asked.
    /// </summary>
    public async Task<IReadOnlyList<UncopiedCheckpoint>?> CollectAsync(CancellationToken cancellationToken)
    {
        if (Local.Checkpoints is not { } own)
        {
            return null;
        }

        NodeAddress? self = client.View.Find(client.View.Self)?.Address;
        NodeAddress[] others =
        [
            .. client.View.Members.Where(member => member.IsLiving && member.Address != self).Select(member => member.Address).Distinct(),
        ];
        UncopiedCheckpoints?[] answers = await Task.WhenAll(others.Select(other => AskAsync(other, cancellationToken)));
        return [.. own.Concat(answers.SelectMany(answer => answer?.Checkpoints ?? [])).Distinct()];
    }

    private async Task<UncopiedCheckpoints?> AskAsync(NodeAddress other, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PeerTimeout);
        try
        {
            return await _peers.GetFromJsonAsync(
                $"http://{other}/v1/checkpoints/uncopied",
                ApiJson.Default.UncopiedCheckpoints,
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
}
