using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Environments;

namespace ActorTrainer.Runtime.Workers;

/// <summary>What a run finds in a working directory of its own: the files of its bundle, its links.</summary>
internal static class WorkFolder
{
    /// <summary>Writes them; what hinders that, as a text for the user, or null.</summary>
    /// <param name="spec">The task.</param>
    /// <param name="folder">The run's working directory, empty.</param>
    /// <param name="bundles">Where its bundle is.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="UnpreparedException">The bundle cannot be had here now.</exception>
    public static async Task<string?> FillAsync(TaskSpec spec, string folder, IBundleStore bundles, CancellationToken cancellationToken)
    {
        try
        {
            if (spec.Bundle is { } bundle)
            {
                await bundles.UnpackAsync(bundle.Hash, folder, cancellationToken);
            }

            return spec.Links.Select(link => Link(folder, link.Key, link.Value)).FirstOrDefault(problem => problem is not null);
        }
        catch (BundleException e)
        {
            return e.Message;
        }
        catch (CheckpointStoreException e)
        {
            throw new UnpreparedException(e.Message, nodeUnfit: true);
        }
    }

    private static string? Link(string folder, string name, string target)
    {
        if (!Path.Exists(target))
        {
            return $"The link '{name}' of the working directory is to lead to '{target}', which does not exist on this node: "
                + "make it there, or change the task's links.";
        }

        string path = Path.Combine(folder, name);
        if (Path.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            return $"The task has a link '{name}', and its bundle has something of that name: leave it out of one of the two.";
        }

        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _ = File.CreateSymbolicLink(path, target);
        return null;
    }
}
