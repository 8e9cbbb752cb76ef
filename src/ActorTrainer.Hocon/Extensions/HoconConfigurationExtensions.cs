using ActorTrainer.Hocon;
using ActorTrainer.Hocon.Extensions;
using Microsoft.Extensions.FileProviders;

namespace Microsoft.Extensions.Configuration;

/// <summary>Adds HOCON files to a configuration.</summary>
public static class HoconConfigurationExtensions
{
    /// <summary>
    /// Adds a HOCON file: its keys are joined by ':', items of arrays have their number as key, and substitutions fall back to the
    /// environment of the process. The file is read once, when the configuration is built.
    /// </summary>
    /// <param name="builder">The configuration.</param>
    /// <param name="path">The file, relative to the builder's base path.</param>
    /// <param name="optional">Whether the file may be missing.</param>
    public static IConfigurationBuilder AddHoconFile(this IConfigurationBuilder builder, string path, bool optional = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(path);
        string folder = (builder.GetFileProvider() as PhysicalFileProvider)?.Root ?? Environment.CurrentDirectory;
        return builder.Add(new HoconConfigurationSource(Path.Combine(folder, path), optional, NodeConfiguration.ProcessEnvironment()));
    }
}
