using System.Text;
using ActorTrainer.Checkpoints.Tiered;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Says whose a folder is, as <c>actortrainer-node</c> in it: nodes that keep copies of each other's checkpoints would take each other's
/// files for copies if their folders were one.
/// </summary>
/// <param name="folder">The node's.</param>
/// <param name="peers">Who the node and the others are.</param>
/// <param name="report">Told, once, that another node has the same folder.</param>
internal sealed class FolderOwner(string folder, IPeers peers, Action<TierNotice> report)
{
    internal const string FileName = "actortrainer-node";

    private readonly string _file = Path.Combine(folder, FileName);
    private bool _said;

    /// <summary>
    /// Looks whose name stands there, and puts this node's. A folder that came from a node that is gone, on its disk, is this one's now.
    /// </summary>
    public void Look()
    {
        string self = peers.Self.ToString();
        try
        {
            string? owner = File.Exists(_file) ? File.ReadAllText(_file).Trim() : null;
            if (owner == self)
            {
                return;
            }

            if (!_said && peers.Living.Any(node => node.ToString() == owner))
            {
                _said = true;
                report(
                    new TierNotice(
                        true,
                        $"{folder} (actortrainer.checkpoints.path) is the folder of {owner}, too: with actortrainer.checkpoints.copies "
                            + "each node needs a folder of its own, or nothing is copied. Give each another one, or set copies = 1."
                    )
                );
            }

            if (Directory.Exists(folder))
            {
                Write(self);
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // A save says what is wrong with the folder.
        }
    }

    private void Write(string self)
    {
        string temporary = $"{_file}.{Path.GetRandomFileName()}{FolderLayout.TemporarySuffix}";
        File.WriteAllText(temporary, self + "\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        File.Move(temporary, _file, overwrite: true);
    }
}
